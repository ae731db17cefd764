"""Find out by experiment why a model does not learn: try a repair, and see whether it helps."""

import keras
import numpy as np

from lossutils.checks import _arrays
from lossutils.checks._diagnosis._report import Diagnosis

__all__ = ["Diagnosis", "diagnose"]

_FEWEST_ROWS = 40


def diagnose(
    model_or_build,
    x,
    y,
    *,
    validation_data=None,
    epochs,
    seeds=5,
    seconds=60,
    batch_size=32,
    shuffle=True,
    class_weight=None,
    verbose="auto",
):
    """Find out by experiment why a model does not learn as it should.

    Fresh copies of the model are trained, as it is given and with one thing changed at a time, from
    the same initial weights and on the same rows. What is given is never trained or changed. In
    this order:

    1. `check_setup` looks at model and arrays.
    2. A constant, a linear model and gradient boosting are measured on the same held-out rows: is
       there anything to learn, and what does the network leave on the table?
    3. The model is trained on 32 rows, for 1,000 steps. What cannot memorize those has a fault in
       its wiring, its size or its step, not in the data.
    4. The first steps of a training are watched from inside, a layer at a time.
    5. Changes are tried, the largest suspects first: inputs and targets standardized, other
       learning rates, relu in hidden layers, He initialization, another batch size, shuffling,
       no dropout, no regularization, clipped gradients, class weights, more hidden units, a hidden
       layer, fewer epochs; then the first two causes together.

    A change is a cause if two things hold on the held-out rows. The mean of its paired differences
    is clear of chance: the one-sided interval of Student's t, corrected for the number of changes
    (Bonferroni) and, where each seed splits the same rows anew, for their overlap (Nadeau and
    Bengio, 2003). And it closes at least a tenth of the gap between the constant and the best of
    all that was measured. A training that diverges, or that is worse than the constant, counts as
    the constant. Causes whose differences are less than a tenth of that gap apart are in the
    order of suspicion.

    Parameters
    ----------
    model_or_build : keras.Model or callable
        A compiled model with one input and one output; or a function without arguments that builds
        one, for models that cannot be copied or that need the weights they come with. Of a model,
        only frozen weights and what `adapt` has learned are kept.
    x : array_like, shape (n, ...)
        Inputs, 40 rows or more.
    y : array_like, shape (n,) or (n, k)
        Targets: a number a row, labels of two classes, or labels of several classes as whole
        numbers from 0 or as one-hot rows.
    validation_data : tuple of array_like, optional
        Inputs and targets to measure on. What comes out then holds for these rows. Without it,
        each seed holds another quarter of the rows out.
    epochs : int
        Passes through the rows in each training, as in your `fit`.
    seeds : int or iterable of int, default 5
        A training for each; a number ``n`` means ``range(n)``. With fewer than 4 hardly a
        difference is clear of chance.
    seconds : float, default 60
        When to stop. A change is tried with all seeds or left out, so what was tried has the same
        row in the table each time; `Diagnosis.left_out` names the others.
    batch_size, shuffle, class_weight
        As in your `fit`.
    verbose : bool or "auto", default "auto"
        Whether to show a bar; ``"auto"`` shows one in a terminal, after three seconds.

    Returns
    -------
    Diagnosis

    Raises
    ------
    TypeError
        If ``model_or_build`` is neither, or x is no array.
    ValueError
        If the model has several inputs or outputs, targets are of another kind, the model cannot
        be copied, or a number is out of range.

    References
    ----------
    C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine Learning 52,
    239-281 (2003), https://doi.org/10.1023/A:1024068626366
    """
    if keras.config.backend() != "tensorflow":
        raise ValueError(
            f"diagnose trains with TensorFlow, and Keras has the {keras.config.backend()} backend: "
            'start Python with KERAS_BACKEND="tensorflow"'
        )
    # They import TensorFlow, which check_setup does without.
    from lossutils.checks import check_setup
    from lossutils.checks._diagnosis import _copies, _run, _trials
    from lossutils.training import _arguments

    if not callable(model_or_build):
        raise TypeError(
            "model_or_build must be a compiled keras.Model or a function that builds one, got "
            f"{type(model_or_build).__name__}"
        )
    _arguments.check_numbers(epochs=epochs, batch_size=batch_size)
    if not 0 < seconds < np.inf:
        raise ValueError(f"seconds must be a positive number, got {seconds!r}")
    x, y = _rows(x, y, "x", "y")
    if validation_data is not None:
        validation_data = _rows(*validation_data, "validation_data[0]", "validation_data[1]")
    if len(x) < _FEWEST_ROWS:
        raise ValueError(
            f"diagnose needs {_FEWEST_ROWS} rows or more to hold some out, got {len(x)}"
        )
    if (y == y[0]).all():
        raise ValueError(f"all {len(y)} targets are equal: look at how y is read")
    source = _copies.Source(model_or_build, x[:1])
    with _trials.seeded(0):
        model = source.model()
        _copies.check(model)
        findings = check_setup(
            model, x, y, class_weight=class_weight, validation_data=validation_data
        )
    settings = _trials.Settings(epochs, batch_size, shuffle, class_weight)
    return _run.run(
        source,
        x,
        y,
        validation_data,
        settings,
        _arguments.seeds_of(seeds),
        seconds,
        findings,
        verbose,
    )


def _rows(x, y, x_name, y_name):
    """Return inputs and targets as arrays, targets of shape (n, 1) or (n, k)."""
    arrays = []
    for name, given in ((x_name, x), (y_name, y)):
        several = isinstance(given, dict) or (
            isinstance(given, (list, tuple)) and given and hasattr(given[0], "shape")
        )
        array = None if several else _arrays.as_array(given)
        if array is None or array.dtype.kind not in "biuf":
            raise TypeError(
                f"{name} must be one array of numbers, got {type(given).__name__}: pass arrays, "
                "not a data set or several inputs"
            )
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds NaN or infinity: fill or drop these rows")
        arrays.append(array)
    x, y = arrays
    if len(x) != len(y):
        raise ValueError(
            f"{x_name} has {len(x)} rows and {y_name} has {len(y)}: give equal numbers"
        )
    if y.dtype.kind in "bu":
        y = y.astype(np.int64)
    return x, y[:, None] if y.ndim == 1 else y
