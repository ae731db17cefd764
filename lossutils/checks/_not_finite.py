"""Where a loss stops to be a number: in which step, and in which layer."""

import keras
import numpy as np

from lossutils.checks._findings import Finding

# How many times its first value a loss grows where the steps are too large.
_EXPLODES = 1e3

# Rows that are looked at in search of one that is not a number.
_ROWS = 4096


def loss_in(logs):
    """Return the loss among what Keras logs, or None; NaN where one of several is."""
    logs = logs or {}
    if "loss" in logs:  # called after each batch: plain numbers are ten times as fast as NumPy's
        return float(logs["loss"])
    values = [v for name, v in logs.items() if name.endswith("loss") and name[:4] != "val_"]
    return sum(map(float, values)) if values else None


def where_it_begins(model, watch, place, losses, kept):
    """Find the layer.

    Parameters
    ----------
    model : keras.Model
        Its weights are those after the step.
    watch : Watch or None
    place : str
        The step and the epoch, in words.
    losses : tuple of float or None
        The first and the last loss that were numbers.
    kept : tuple of (int, int, list of ndarray)
        The step, the last one before it of which the weights were kept, and these.

    Returns
    -------
    Finding
    """
    step, kept_step, weights = kept
    first, last = losses
    seen = f"the loss is not a number from {place} on"
    if last is not None:
        seen += (
            f"; before that it went from {first:.3g} to {last:.3g} (means since its epoch began)"
        )
    origin = watch and _data_not_finite(watch)
    if origin:
        where, fix = origin
        seen += f": {where}"
    elif first is not None and last > _EXPLODES * max(first, 1e-12):
        fix = (
            "a learning rate that is 10 times smaller; inputs and targets of the size of 1; "
            "clipnorm=1.0 in the optimizer"
        )
        seen += ". It grows from step to step, so the steps are too large"
        seen += _largest(model, watch, weights, kept_step)
    elif origin := watch and _origin(model, watch, weights):
        where, fix = origin
        seen += f". With the weights after step {kept_step}, {where}"
    else:
        fix = (
            "look for a root, a norm or a division whose derivative at 0 is infinite, and for a "
            "logarithm of 0; then try a smaller learning rate"
        )
        seen += f". With the weights after step {kept_step} of {step} all was finite"
    bad = _layers_not_finite(model)
    if bad:
        seen += f". Now weights are not finite in {_listed(bad)}"
    return Finding("nan-begins", "error", seen, fix)


def _data_not_finite(watch):
    x, y = watch.all_rows(_ROWS)
    if not all(np.isfinite(array).all() for array in keras.tree.flatten(x)):
        return "inputs are not finite", "remove or fill the rows: x[np.isfinite(x).all(axis=1)]"
    if y is not None and not all(np.isfinite(array).all() for array in keras.tree.flatten(y)):
        return "targets are not finite", "remove these rows before fit()"
    return None


def _origin(model, watch, weights):
    """Return the first place on the way from inputs to loss that is not finite, and a remedy."""
    x, y = watch.all_rows(_ROWS)
    with watch.with_weights(weights):
        for name, output in _outputs_of_layers(model, x):
            if not np.isfinite(output).all():
                return (
                    f"{name!r} is the first layer whose output is not finite",
                    f"look at what {name!r} computes: a division by 0, a logarithm or root of 0, "
                    "or an overflow in its precision",
                )
        loss = None if watch.head is None else watch.loss(y, watch.predict(x))
        if loss is not None and not np.isfinite(loss):
            return (
                "all outputs are finite and the loss of them is not",
                "let the loss take logits, or clip the predictions before a logarithm: "
                "keras.ops.clip(p, 1e-7, 1 - 1e-7)",
            )
    return None


def _largest(model, watch, weights, kept_step):
    if watch is None:
        return ""
    with watch.with_weights(weights):
        sizes = {n: np.abs(a).max() for n, a in _outputs_of_layers(model, watch.x) if a.size}
    if not sizes:
        return ""
    name = max(sizes, key=sizes.get)
    return f": after step {kept_step}, the outputs of {name!r} reach {sizes[name]:.2g}"


def _outputs_of_layers(model, x):
    """Yield the name and the output of each layer in order; only the last of a model of its own."""
    tensors = {}
    for operation in getattr(model, "operations", model.layers):
        if isinstance(operation, keras.layers.InputLayer):
            continue
        try:
            output = operation.output
        except (AttributeError, ValueError):  # not built, or called several times
            continue
        if isinstance(output, keras.KerasTensor):
            tensors[operation.name] = output
    try:
        inner = keras.Model(model.inputs, list(tensors.values()))
        outputs = inner(x, training=False)
    except (AttributeError, ValueError, TypeError):  # a model that is no graph of layers
        return
    for name, output in zip(tensors, keras.tree.flatten(outputs), strict=True):
        values = keras.ops.convert_to_numpy(output)
        if values.dtype.kind == "f":
            yield name, values


def _layers_not_finite(model):
    names = []
    for layer in model.layers:
        values = (weight.numpy() for weight in layer.trainable_weights)
        if not all(np.isfinite(value).all() for value in values):
            names.append(layer.name)
    return names


def _listed(names):
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(repr(name) for name in names[:4]) + more
