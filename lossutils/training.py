"""Fit one Keras model, or repeat a training over many seeds, as one compiled program."""

from collections.abc import Iterable

import keras
import numpy as np
import pandas as pd
from scipy import stats
from tqdm import tqdm

from lossutils import _compiled, _repetition
from lossutils._program import Program
from lossutils.datasets import Dataset


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
    Keras reports is a mean over the epoch, while the weights still move.) A loss or metric that
    depends on the other rows of its batch is measured in batches of ``batch_size``, as in Keras.
    Data, loss, metrics and a constant learning rate have the precision of the model's weights. A
    training that diverges records NaN.

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
    _compiled.check_model(model)
    _check(data, epochs, batch_size)
    weights = _row_weights(data, class_weight, sample_weight)
    program = Program(model, data, batch_size, weights, jit_compile, device)
    learning_rate = _compiled.constant_learning_rate(model)
    measured = program.run(epochs, shuffle, seed, learning_rate)
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
    executor=None,
):
    """Repeat a training over seeds, in parallel.

    Seed ``s`` means ``keras.utils.set_random_seed(s); model = build(); fit(model, data, seed=s)``,
    with the same ``jit_compile`` (XLA draws other numbers for dropout). The result does not depend
    on where the seeds run, and the caller's random state is what it was before.

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
        Whether to measure after each epoch instead of after the last only, which is faster.
    executor : concurrent.futures.Executor, optional
        Where to train, instead of in a thread for each core of this machine: a
        ``ProcessPoolExecutor`` that spawns its processes, or a cluster through
        ``dask.distributed.Client(...).get_executor()``. ``build`` and the data travel by
        cloudpickle, so functions defined in a notebook do too; lossutils has to be installed
        there.

    Returns
    -------
    pandas.DataFrame
        A row for each seed and measure, with the columns ``seed``, ``epoch`` (counted from 1,
        only with ``curves=True``), ``measure`` (``"test_loss"``, ``"train_accuracy"``, …) and
        ``value``.

    Raises
    ------
    TypeError, ValueError
        As in `fit`; also if ``build`` is not callable, there are no seeds, or the executor forks.
    RuntimeError
        If a worker of the executor died; the message names the seeds that are lost.

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
    _check(data, epochs, batch_size)
    seeds = _seeds(seeds)
    weights = _row_weights(data, class_weight, sample_weight)
    settings = _repetition.Settings(
        data, epochs, batch_size, shuffle, weights, jit_compile, device, curves
    )
    if executor is None:
        blocks = _repetition.in_threads(build, settings, seeds)
    else:
        blocks = _repetition.on_executor(executor, build, settings, seeds)
    measured = {}
    # A terminal shows a bar after three seconds; a notebook's output and a log show none.
    with tqdm(total=len(seeds), unit="seed", delay=3, disable=None, leave=False) as bar:
        for block in blocks:
            measured.update(block)
            bar.update(len(block))
    return _tidy([(seed, measured[seed]) for seed in seeds], curves)


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


def _tidy(runs, curves):
    """Turn (seed, measures) pairs into a DataFrame with a row for each seed and measure."""
    series = [(seed, *item) for seed, measured in runs for item in measured.items()]
    seeds, measures, values = zip(*series, strict=True)
    epochs = [len(of_one) for of_one in values]
    frame = pd.DataFrame(
        {
            "seed": np.repeat(seeds, epochs),
            "epoch": np.concatenate([np.arange(1, number + 1) for number in epochs]),
            "measure": np.repeat(measures, epochs),
            "value": np.concatenate(values),
        }
    )
    return frame if curves else frame.drop(columns="epoch")


def _check(data, epochs, batch_size):
    if not isinstance(data, Dataset):
        raise TypeError(
            f"data must be a Dataset, got {type(data).__name__}: wrap your arrays in "
            "datasets.Dataset(x_train=..., y_train=..., x_test=..., y_test=...)"
        )
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")


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
