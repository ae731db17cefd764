"""Fit one Keras model, or repeat a training over many seeds, as one compiled program."""

import contextlib
import os
import random
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed

import cloudpickle
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras.src.backend.common import global_state
from scipy import stats
from tensorflow.python.eager import context as tensorflow_context
from tqdm import tqdm

from lossutils import _compiled
from lossutils._program import Program
from lossutils.datasets import Dataset

# Orders of rows that are drawn at once: 80 MB of them, whatever the number of epochs.
_ORDERS = 20_000_000

# Layers whose trainings XLA speeds up; convolutions are slower with it on a CPU.
_DENSE_LAYERS = (
    keras.layers.InputLayer,
    keras.layers.Dense,
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.Softmax,
    keras.layers.Dropout,
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.Normalization,
    keras.layers.Rescaling,
    keras.layers.Flatten,
)
_SMALL = 100_000

# Where Keras keeps its seed, the generator made from it, and the numbers of names.
_KERAS_STATE = ("global_random_seed", "global_seed_generator", "object_name_uids")

# The random state that a build starts from belongs to the whole process.
_build_lock = threading.Lock()


def fit(
    model,
    data,
    epochs,
    batch_size=32,
    shuffle=True,
    seed=0,
    class_weight=None,
    sample_weight=None,
    jit_compile=False,
    device="CPU",
):
    """Train a compiled Keras model in place: what `model.fit` does, as one compiled program.

    All epochs, steps and measurements run without a return to Python. With ``shuffle=False`` the
    weights and the test measures equal those of ``model.fit(..., validation_data=...)``.

    After each epoch, loss and metrics are measured on all training rows and on all test rows, in
    inference mode and unweighted, so that the two curves can be compared. (The training loss that
    Keras reports is a mean over the epoch, while the weights still move.) Data, loss, metrics and
    a constant learning rate have the precision of the model's weights. A training that diverges
    records NaN.

    Parameters
    ----------
    model : keras.Model
        A compiled model with one input and one output: any Keras loss, optimizer and metrics.
    data : Dataset
        Training and test rows.
    epochs : int
        Passes through the training rows.
    batch_size : int, default 32
        Rows a step; the last step of an epoch takes what is left.
    shuffle : bool, default True
        Whether each epoch takes the training rows in a new order.
    seed : int, default 0
        Seed of these orders. Initial weights and dropout have their seeds from Keras.
    class_weight : dict of int to float, optional
        Weight of each class in the training loss, as in Keras: classes not named weigh 1.
    sample_weight : array-like of shape (n_train,), optional
        Weight of each training row in the training loss, as in Keras.
    jit_compile : bool, default False
        Whether XLA compiles the program. That takes about a second and pays off when the same
        training is repeated.
    device : str, default "CPU"
        Where to train, for instance ``"GPU"``. Small networks are faster on the CPU.

    Returns
    -------
    keras.callbacks.History
        ``history`` has the lists ``train_loss``, ``test_loss``, and ``train_<metric>``,
        ``test_<metric>`` for each metric, with a value for each epoch.

    Raises
    ------
    TypeError
        If ``model`` is no Keras model or ``data`` no `Dataset`.
    ValueError
        If the model is not compiled, or of a kind that needs `model.fit` (several inputs or
        outputs, a training step of its own, loss scaling, another backend); if targets and output
        would broadcast; if a label, weight or number is out of range.

    Examples
    --------
    >>> import keras
    >>> from lossutils import datasets, models, training
    >>> keras.utils.set_random_seed(0)
    >>> model = models.mlp(inputs=2, hidden=[50], outputs=1, activation="sigmoid")
    >>> model.compile("sgd", loss="binary_crossentropy", metrics=["accuracy"])
    >>> history = training.fit(model, datasets.circles(), epochs=2)
    >>> list(history.history)
    ['train_loss', 'test_loss', 'train_accuracy', 'test_accuracy']
    """
    _check(model, data, epochs, batch_size)
    weights = _row_weights(data, class_weight, sample_weight)
    program = Program(model, data, batch_size, weights, jit_compile, device)
    measured = _run(program, model, data, epochs, shuffle, seed)
    if hasattr(model.optimizer, "finalize_variable_values"):
        model.optimizer.finalize_variable_values(model.trainable_variables)
    history = keras.callbacks.History()
    history.set_model(model)
    history.set_params({"epochs": epochs, "batch_size": batch_size})
    history.epoch = list(range(epochs))
    history.history = measured
    return history


def repeat(
    build,
    data,
    epochs,
    seeds=30,
    batch_size=32,
    shuffle=True,
    class_weight=None,
    sample_weight=None,
    jit_compile="auto",
    device="CPU",
    curves=False,
):
    """Repeat a training over seeds, in parallel.

    Seed ``s`` means ``keras.utils.set_random_seed(s); model = build(); fit(model, data, seed=s)``,
    with the same ``jit_compile`` (XLA draws other numbers for dropout). The result does not depend
    on the number of threads, and the caller's random state is what it was before.

    Parameters
    ----------
    build : callable
        Takes no argument and returns a newly built, compiled model. As long as it returns the
        same architecture, loss, metrics and optimizer, the program is compiled once.
    data : Dataset
        Training and test rows.
    epochs : int
        Passes through the training rows.
    seeds : int or iterable of int, default 30
        The seeds; a number ``n`` means ``range(n)``.
    batch_size, shuffle, class_weight, sample_weight, device
        As in `fit`.
    jit_compile : bool or "auto", default "auto"
        Whether XLA compiles the program; ``"auto"`` means for small dense networks, where this
        is about ten times faster.
    curves : bool, default False
        Whether to return the measures after each epoch instead of after the last.

    Returns
    -------
    pandas.DataFrame
        A row for each seed and measure, with the columns ``seed``, ``epoch`` (counted from 1,
        only with ``curves=True``), ``measure`` (``"test_loss"``, ``"train_accuracy"``, …) and
        ``value``.

    Raises
    ------
    TypeError, ValueError
        As in `fit`; also if ``build`` is not callable or there are no seeds.

    Examples
    --------
    >>> import keras
    >>> from lossutils import datasets, models, training
    >>> def build():
    ...     model = models.mlp(inputs=2, hidden=[50], outputs=1, activation="sigmoid")
    ...     model.compile("sgd", loss="binary_crossentropy", metrics=["accuracy"])
    ...     return model
    >>> runs = training.repeat(build, datasets.circles(), epochs=2, seeds=3)
    >>> runs[runs["measure"] == "test_accuracy"].shape
    (3, 3)
    """
    if not callable(build) or isinstance(build, keras.Model):
        raise TypeError(
            f"build must be a function that returns a compiled model, got {build!r}; "
            "one model cannot be trained from several initial weights"
        )
    seeds = _seeds(seeds)
    settings = {
        "data": data,
        "epochs": epochs,
        "batch_size": batch_size,
        "shuffle": shuffle,
        "weights": _row_weights(data, class_weight, sample_weight),
        "jit_compile": jit_compile,
        "device": device,
    }
    _forget_kernels()
    frames = []
    with _progress(len(seeds)) as finished:
        for seed, measured in _in_threads(build, seeds, settings):
            frames.append((seed, measured))
            finished()
    position = {seed: i for i, seed in enumerate(seeds)}
    frames.sort(key=lambda item: position[item[0]])
    return _tidy(frames, curves)


def compare(runs, measure):
    """Compare trainings that share their seeds, on one measure.

    The difference is taken seed by seed, which leaves out what the seeds have in common: initial
    weights, order of the rows. Compare a metric that all runs share; the values of two different
    losses have different units.

    Parameters
    ----------
    runs : dict of str to pandas.DataFrame
        Results of `repeat` by name; the first is what the others are compared with.
    measure : str
        A measure that all of them have, such as ``"test_accuracy"``.

    Returns
    -------
    pandas.DataFrame
        A row for each name, with ``mean`` and ``std`` (standard deviation over seeds) of the
        measure; ``difference``, the mean of the paired differences to the first; ``low`` and
        ``high``, its 95 % confidence interval by Student's t. The first row has no difference.

    Raises
    ------
    ValueError
        If a measure or a seed is missing from one of the runs.
    """
    values = {name: _by_seed(frame, name, measure) for name, frame in runs.items()}
    reference_name, reference = next(iter(values.items()))
    rows = []
    for name, value in values.items():
        if not value.index.equals(reference.index):
            raise ValueError(
                f"{name!r} and {reference_name!r} have different seeds; "
                "repeat both with the same seeds to compare them in pairs"
            )
        row = {"mean": value.mean(), "std": value.std()}
        if name != reference_name:
            row |= _paired_difference(value - reference)
        rows.append(row)
    return pd.DataFrame(rows, index=pd.Index(values, name="runs")).reindex(
        columns=["mean", "std", "difference", "low", "high"]
    )


def _by_seed(frame, name, measure):
    chosen = frame[frame["measure"] == measure]
    if chosen.empty:
        known = ", ".join(frame["measure"].unique())
        raise ValueError(f"{name!r} has no measure {measure!r}; it has {known}")
    if "epoch" in chosen:
        chosen = chosen[chosen["epoch"] == chosen["epoch"].max()]
    return chosen.set_index("seed")["value"].sort_index()


def _paired_difference(difference):
    mean = difference.mean()
    half = stats.sem(difference) * stats.t.ppf(0.975, len(difference) - 1)
    return {"difference": mean, "low": mean - half, "high": mean + half}


class _Repeater:
    """Trains a fresh model for each seed, with one program as long as the model stays the same.

    Each thread has one, with variables of its own; ``shared`` holds the program that was compiled
    last, by its signature, for the others to run too.
    """

    def __init__(
        self, build, shared, data, epochs, batch_size, shuffle, weights, jit_compile, device
    ):
        self._build = build
        self._shared = shared
        self._data = data
        self._epochs = epochs
        self._batch_size = batch_size
        self._shuffle = shuffle
        self._weights = weights
        self._jit_compile = jit_compile
        self._device = device
        self._signature = None

    def train(self, seed):
        """Return the measures of one seed."""
        with _build_lock, _seeded(seed), tf.device(self._device):
            model = self._build()
            _check(model, self._data, self._epochs, self._batch_size)
            if not model.built:
                _compiled.call(model, self._data.x_train[:1], training=False)
        signature = _signature(model)
        if signature is None or signature != self._signature:
            with _build_lock:
                self._program = self._compile(model, signature)
            self._signature = signature
        else:
            self._program.adopt(model)
        return _run(self._program, model, self._data, self._epochs, self._shuffle, seed)

    def _compile(self, model, signature):
        jit_compile = self._jit_compile
        if jit_compile == "auto":
            jit_compile = _suits_xla(model)
        like = None if signature is None else self._shared.get(signature)
        program = Program(
            model, self._data, self._batch_size, self._weights, jit_compile, self._device, like
        )
        if like is None:
            self._shared.clear()
            self._shared[signature] = program
        return program


def _in_threads(build, seeds, settings):
    """Yield (seed, measures) as trainings finish."""
    local, shared = threading.local(), {}

    def train(seed):
        if not hasattr(local, "repeater"):
            local.repeater = _Repeater(build, shared, **settings)
        try:
            return seed, local.repeater.train(seed)
        except Exception as error:
            error.add_note(f"raised in the training of seed {seed}")
            raise

    executor = ThreadPoolExecutor(min(_cores(), len(seeds)))
    try:
        for done in as_completed([executor.submit(train, seed) for seed in seeds]):
            yield done.result()
    finally:
        executor.shutdown(cancel_futures=True)


def _cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _suits_xla(model):
    layers = [layer for layer in model._flatten_layers() if not isinstance(layer, keras.Model)]
    return model.count_params() <= _SMALL and all(isinstance(la, _DENSE_LAYERS) for la in layers)


def _signature(model):
    """Return bytes that are equal for models with the same program, or None if that is unknown."""
    if type(model) not in (keras.Sequential, keras.models.Model) and type(model).__name__ != (
        "Functional"
    ):
        return None
    optimizer = model.optimizer.get_config()
    if isinstance(optimizer["learning_rate"], float):
        del optimizer["learning_rate"]  # an input of the program
    metrics = model._compile_metrics
    given = (
        []
        if metrics is None
        else [metrics._user_metrics or [], metrics._user_weighted_metrics or []]
    )
    described = [
        (type(m), m.get_config()) if isinstance(m, keras.metrics.Metric) else m
        for m in keras.tree.flatten(given)
    ]
    weights = model._compile_loss._user_loss_weights
    try:
        return cloudpickle.dumps(
            (model.get_config(), type(model.optimizer), optimizer, model.loss, weights, described)
        )
    except Exception:  # whatever cannot be described is compiled anew for each seed
        return None


def _run(program, model, data, epochs, shuffle, seed):
    """Train with the row orders of a seed; return lists of measures by name."""
    learning_rate = _compiled.constant_learning_rate(model)
    rows = len(data.x_train)
    generator = np.random.default_rng(seed)
    measured = []
    for start in range(0, epochs, block := max(1, _ORDERS // rows)):
        orders = np.tile(np.arange(rows, dtype=np.int32), (min(block, epochs - start), 1))
        if shuffle:
            orders = generator.permuted(orders, axis=1)
        measured.append(program.run(orders, learning_rate))
    measured = np.concatenate(measured)
    return {
        f"{part}_{measure}": measured[:, i, j].tolist()
        for j, measure in enumerate(program.measures)
        for i, part in enumerate(("train", "test"))
    }


def _tidy(runs, curves):
    """Turn (seed, measures) pairs into a DataFrame with a row for each seed and measure."""
    rows = [
        (seed, epoch, measure, value)
        for seed, measured in runs
        for measure, values in measured.items()
        for epoch, value in enumerate(values, start=1)
        if curves or epoch == len(values)
    ]
    frame = pd.DataFrame(rows, columns=["seed", "epoch", "measure", "value"])
    return frame if curves else frame.drop(columns="epoch")


def _check(model, data, epochs, batch_size):
    if not isinstance(data, Dataset):
        raise TypeError(
            f"data must be a Dataset, got {type(data).__name__}: wrap your arrays in "
            "datasets.Dataset(x_train=..., y_train=..., x_test=..., y_test=...)"
        )
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
    _compiled.check_model(model)


def _row_weights(data, class_weight, sample_weight):
    """Return a weight for each training row, or None, as Keras derives them."""
    if class_weight is not None and sample_weight is not None:
        raise ValueError("give either class_weight or sample_weight, not both, as in Keras")
    if class_weight is not None:
        return _class_weights(data.y_train, class_weight)
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=float)
    if weights.shape != (len(data.x_train),):
        raise ValueError(
            f"sample_weight must have a value for each of the {len(data.x_train)} training rows, "
            f"got the shape {weights.shape}"
        )
    if not np.isfinite(weights).all():
        raise ValueError("sample_weight has values that are not finite")
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
    return np.array([class_weight.get(label, 1.0) for label in labels.tolist()], dtype=float)


def _seeds(seeds):
    if isinstance(seeds, (int, np.integer)) and not isinstance(seeds, bool):
        seeds = range(seeds)
    if isinstance(seeds, str) or not isinstance(seeds, Iterable):
        raise TypeError(f"seeds must be a number or an iterable of whole numbers, got {seeds!r}")
    seeds = [int(seed) for seed in seeds]
    if not seeds or len(set(seeds)) != len(seeds) or min(seeds) < 0:
        raise ValueError(f"seeds must be different whole numbers from 0, at least one; got {seeds}")
    return seeds


@contextlib.contextmanager
def _progress(total):
    """Yield a function to call after each seed; a terminal shows a bar after three seconds."""
    with tqdm(total=total, unit="seed", delay=3, disable=None, leave=False) as bar:
        yield bar.update


@contextlib.contextmanager
def _seeded(seed):
    """Do what `keras.utils.set_random_seed` does, for the time of a build only.

    TensorFlow also empties its cache of kernels then, so that a kernel with a random state of its
    own starts anew. `repeat` does that once: its seeds differ, so that no kernel serves two.
    Names are numbered from the start, so that equal models have equal names.
    """
    context = tensorflow_context.context()
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    tensorflow = context._seed, getattr(context, "_rng", None)  # absent before a first seed
    of_keras = {name: global_state.get_global_attribute(name) for name in _KERAS_STATE}
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    context._seed, context._rng = seed, random.Random(seed)
    for name, value in zip(_KERAS_STATE, (seed, None, None), strict=True):
        global_state.set_global_attribute(name, value)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        context._seed, context._rng = tensorflow
        for name, value in of_keras.items():
            global_state.set_global_attribute(name, value)


def _forget_kernels():
    """Empty TensorFlow's cache of kernels, which is what setting a seed does besides setting it."""
    context = tensorflow_context.context()
    kept = context._seed, getattr(context, "_rng", None)
    tf.random.set_seed(0)
    context._seed, context._rng = kept
