"""What the functions of training are given, checked before anything is trained."""

from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf

from lossutils.datasets import Dataset

_LARGEST_SEED = 2**32 - 1


def check_data(data, name="data"):
    """Raise where something is no data set."""
    if not isinstance(data, Dataset):
        raise TypeError(
            f"{name} must be a Dataset, got {type(data).__name__}: wrap your arrays in "
            "datasets.Dataset(x_train=..., y_train=..., x_test=..., y_test=...)"
        )


def check_numbers(**numbers):
    """Raise where a number of epochs or of rows is not whole and positive."""
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")


def check_device(device):
    """Raise where there is no such device; TensorFlow would take the CPU without a word."""
    known = [each.name.removeprefix("/device:") for each in tf.config.list_logical_devices()]
    try:
        spec = tf.DeviceSpec.from_string(device if ":" in str(device) else f"/device:{device}:0")
        found = f"{spec.device_type}:{spec.device_index or 0}" in known
    except (ValueError, TypeError, AttributeError):
        found = False
    if not found:
        raise ValueError(f"device={device!r} is none of this machine's: {', '.join(known)}")


def refuse(options, function):
    """Raise where `model.fit` has an argument that this function has not."""
    if options:
        names = ", ".join(f"{name}=" for name in options)
        raise TypeError(
            f"training.{function} does not take {names}; model.fit takes callbacks, generators and "
            "validation data of its own"
        )


def row_weights(data, class_weight, sample_weight):
    """Return a weight for each training row, or None, as Keras derives them.

    For several targets, the weights are nested like these, with None for a target without.
    """
    if class_weight is not None and sample_weight is not None:
        raise ValueError("give either class_weight or sample_weight, not both, as in Keras")
    y = keras.tree.lists_to_tuples(data.y_train)
    if class_weight is not None:
        if keras.tree.is_nested(y):
            raise ValueError(
                "class_weight is for one output, as in model.fit: give sample_weight with a weight "
                "for each row of an output, such as {'output': weights}"
            )
        return _class_weights(y, class_weight)
    if callable(sample_weight):
        sample_weight = sample_weight(data)
    if sample_weight is None:
        return None
    if not keras.tree.is_nested(y):
        return _checked_weights("sample_weight", sample_weight, y)
    weights = _nested_weights(sample_weight, y)
    return None if all(each is None for each in keras.tree.flatten(weights)) else weights


def _nested_weights(sample_weight, y):
    """Return weights for each of several targets; one array is for all of them."""
    if isinstance(sample_weight, (dict, list, tuple)) and np.ndim(_first(sample_weight)) > 0:
        keys = sample_weight if isinstance(sample_weight, dict) else range(len(sample_weight))
        if isinstance(sample_weight, dict) != isinstance(y, dict) or set(keys) != set(_keys(y)):
            raise ValueError(
                f"sample_weight is for {list(keys)}, and the targets are {list(_keys(y))}: give "
                "weights or None for each target, or one array for all"
            )
    else:
        sample_weight = dict.fromkeys(_keys(y), sample_weight)
    weights = {
        key: None
        if sample_weight[key] is None
        else _checked_weights(f"sample_weight[{key!r}]", sample_weight[key], y[key])
        for key in _keys(y)
    }
    return weights if isinstance(y, dict) else tuple(weights.values())


def _keys(values):
    return values.keys() if isinstance(values, dict) else range(len(values))


def _first(weights):
    """Return the first that is given, so that a list of numbers is one array."""
    values = weights.values() if isinstance(weights, dict) else weights
    return next((value for value in values if value is not None), np.empty(0))


def _checked_weights(name, weights, y):
    weights = np.asarray(weights, dtype=float)
    if weights.ndim == 0 or weights.shape != y.shape[: weights.ndim]:
        raise ValueError(
            f"{name} must have a value for each of the {len(y)} training rows, "
            f"got the shape {weights.shape}"
        )
    if not np.isfinite(weights).all():
        raise ValueError(f"{name} has values that are not finite")
    return weights


def _class_weights(y, class_weight):
    labels = (y.argmax(axis=1) if y.shape[1] > 1 else np.round(y[:, 0])).astype(int)
    if y.ndim != 2 or not isinstance(class_weight, dict):
        raise ValueError(
            "class_weight must be a dict such as {0: 1.0, 1: 3.0}, for targets of shape (n, 1) or "
            f"(n, classes); got {class_weight!r} and targets of shape {y.shape}"
        )
    if unknown := set(class_weight) - set(labels.tolist()):
        raise ValueError(
            f"class_weight names {sorted(unknown)}, but the training labels are "
            f"{sorted(set(labels.tolist()))}"
        )
    for label, weight in class_weight.items():
        if not isinstance(weight, (int, float, np.number)) or not 0 <= weight < np.inf:
            raise ValueError(
                f"class_weight[{label}] must be a finite number of at least 0, got {weight!r}"
            )
    return np.array([class_weight.get(label, 1.0) for label in labels.tolist()], dtype=float)


def check_seed(seed):
    """Raise where a seed is no whole number that NumPy, Keras and TensorFlow take."""
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if not whole or not 0 <= seed <= _LARGEST_SEED:
        raise ValueError(f"a seed must be a whole number from 0 to {_LARGEST_SEED}, got {seed!r}")


def seeds_of(seeds):
    """Return a list of different seeds; a number means so many, from 0."""
    if isinstance(seeds, (int, np.integer)) and not isinstance(seeds, bool):
        check_numbers(seeds=seeds)
        seeds = range(seeds)
    if isinstance(seeds, (str, bytes, bool)) or not isinstance(seeds, Iterable):
        raise TypeError(f"seeds must be a number or an iterable of whole numbers, got {seeds!r}")
    seeds = list(seeds)
    for seed in seeds:
        check_seed(seed)
    if not seeds or len(set(seeds)) != len(seeds):
        raise ValueError(f"seeds must be different whole numbers, at least one; got {seeds}")
    return list(map(int, seeds))
