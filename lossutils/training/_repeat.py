"""A training repeated over seeds, draws of the data and learning rates, as one table."""

import keras
import numpy as np
import pandas as pd

from lossutils.training import _arguments, _repetition
from lossutils.training._choice import Choice
from lossutils.training._progress import progress_bar


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
    learning_rates=None,
    choose_by="loss",
    validation_size=0.25,
    early_stopping=False,
    verbose="auto",
    **unsupported,
):
    """Repeat a training over seeds, in parallel.

    Seed ``s`` means ``keras.utils.set_random_seed(s); model = build(); fit(model, data, seed=s)``,
    with the same ``jit_compile`` (XLA draws other numbers for dropout). The result does not depend
    on where the seeds run, and the caller's random state is what it was before. While `repeat`
    runs, other threads of the process should draw no random numbers.

    Given a function ``draw`` in place of a data set, seed ``s`` means new rows as well:
    ``draw(s)``, after ``set_random_seed(s)``. What then stands over seeds stands over data, too.

    With ``learning_rates``, each seed chooses its own. A quarter of the training rows, drawn by the
    seed, is held out; a model is trained with each rate on the other rows, from the same initial
    weights, and measured on the rows held out. With the best rate a model is trained on all
    training rows. The test rows take no part in the choice. A rate that diverges is not chosen
    unless all do.

    Parameters
    ----------
    build : callable
        Takes no argument and returns a newly built, compiled model. As long as it returns the
        same architecture, loss, metrics and optimizer, the program is compiled once.
    data : Dataset or callable
        Training and test rows; or a function that takes a seed and returns a data set, of the same
        shapes for each.
    epochs : int
        Passes through the training rows.
    seeds : int or iterable of int, default 30
        The seeds; a number ``n`` means ``range(n)``.
    batch_size, shuffle, class_weight, sample_weight, device, verbose
        As in `fit`; with a function ``draw``, ``sample_weight`` has to be a function, too.
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
    learning_rates : iterable of float, optional
        Learning rates to choose from, in place of the one of the model. Where the smallest or the
        largest is chosen often, widen the range.
    choose_by : str or None, default "loss"
        What the rows held out are measured by: ``"loss"``, the model's own, or one of its metrics
        from Keras, such as ``"accuracy"``. None chooses nothing: each rate is trained on all
        training rows and has a row in the result.
    validation_size : float, default 0.25
        Share of the training rows that is held out.
    early_stopping : bool, default False
        Whether to choose the number of epochs as well: the one after which the rows held out are
        measured best. The model is then trained on all training rows for that many epochs.

    Returns
    -------
    pandas.DataFrame
        A row for each seed and measure, with the columns ``seed``, ``learning_rate`` (with
        ``learning_rates``) and ``epochs`` (with ``early_stopping``), which the seed chose,
        ``epoch`` (counted from 1, only with ``curves=True``), ``measure`` (``"test_loss"``,
        ``"train_accuracy"``, …) and ``value``.

    Raises
    ------
    TypeError, ValueError
        As in `fit`; also if ``build`` is not callable or returns weights that it returned before,
        if draws differ in shape, there are no seeds, or the executor forks.
    RuntimeError
        If a worker of the executor died; the message names the seeds that are lost. If called
        inside of ``build`` or ``draw``.

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

    New rows for each seed, and for each seed the rate that suits these rows:

    >>> def draw(seed):
    ...     return datasets.circles(random_state=seed)
    >>> runs = training.repeat(build, draw, epochs=2, seeds=3, learning_rates=[0.01, 0.1])
    >>> list(runs.columns)
    ['seed', 'learning_rate', 'measure', 'value']
    """
    _arguments.refuse(unsupported, "repeat")
    if not callable(build) or isinstance(build, keras.Model):
        raise TypeError(
            f"build must be a function that returns a compiled model, got {build!r}; "
            "one model cannot be trained from several initial weights"
        )
    _check_data(data, sample_weight)
    _arguments.check_numbers(epochs=epochs, batch_size=batch_size)
    _arguments.check_device(device)
    seeds = _arguments.seeds_of(seeds)
    choice = _choice(learning_rates, choose_by, validation_size, early_stopping)
    settings = _repetition.Settings(
        data,
        epochs,
        batch_size,
        shuffle,
        class_weight,
        sample_weight,
        jit_compile,
        device,
        curves,
        choice,
    )
    if executor is None:
        blocks = _repetition.in_threads(build, settings, seeds)
    else:
        blocks = _repetition.on_executor(executor, build, settings, seeds)
    outcomes = {}
    with progress_bar(len(seeds), "seed", verbose) as bar:
        for block in blocks:
            outcomes.update(block)
            bar.update(len(block))
    return _tidy([(seed, *each) for seed in seeds for each in outcomes[seed]], curves)


def _check_data(data, sample_weight):
    if not callable(data):
        _arguments.check_data(data)
    elif sample_weight is not None and not callable(sample_weight):
        raise ValueError(
            "sample_weight has a value for each training row, and draws have other rows each: "
            "use class_weight, or give a function that takes a data set and returns its weights"
        )


def _choice(learning_rates, choose_by, validation_size, early_stopping):
    if learning_rates is None and not early_stopping:
        return None
    rates = () if learning_rates is None else tuple(learning_rates)
    for rate in rates:
        if not isinstance(rate, (int, float, np.number)) or not 0 < rate < np.inf:
            raise ValueError(f"learning_rates must be positive numbers, got {rate!r}")
    if learning_rates is not None and (not rates or len(set(rates)) < len(rates)):
        raise ValueError(
            f"learning_rates must be different numbers, at least one; got {list(rates)}"
        )
    if early_stopping and choose_by is None:
        raise ValueError("early_stopping chooses on validation rows: choose_by must name a measure")
    if not 0 < validation_size < 1:
        raise ValueError(f"validation_size must lie between 0 and 1, got {validation_size!r}")
    return Choice(tuple(map(float, rates)), choose_by, validation_size, early_stopping)


def _tidy(outcomes, curves):
    """Turn (seed, chosen, measured) into a DataFrame with a row for each seed and measure."""
    series = [
        (seed, chosen, *item) for seed, chosen, measured in outcomes for item in measured.items()
    ]
    seeds, choices, measures, values = zip(*series, strict=True)
    epochs = [len(of_one) for of_one in values]
    columns = {"seed": np.repeat(seeds, epochs)}
    for name in choices[0]:
        columns[name] = np.repeat([chosen[name] for chosen in choices], epochs)
    if curves:
        columns["epoch"] = np.concatenate([np.arange(1, number + 1) for number in epochs])
    columns["measure"] = np.repeat(measures, epochs)
    columns["value"] = np.concatenate(values)
    return pd.DataFrame(columns)
