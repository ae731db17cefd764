"""The comparison of trainings, seed by seed."""

import numpy as np
import pandas as pd
from scipy import stats

_CONFIDENCE = 0.95


def compare(runs, measure, test_to_train=None):
    """Compare trainings that share their seeds, on one measure.

    The difference is taken seed by seed, which leaves out what the seeds have in common: initial
    weights, order of the rows and, where each seed has a draw of its own, the data. Compare a
    metric that all runs share; the values of two different losses have different units.

    The intervals hold together: with 95 % confidence all of them cover their true difference. Each
    of k intervals then has the confidence 1 - 0.05 / k (Bonferroni), and with two runs it is the
    usual one by Student's t.

    A run in which a training diverged has NaN for all but the number of those: the mean of the
    others would favor a loss that fails where it is hard.

    Parameters
    ----------
    runs : dict of str to pandas.DataFrame
        Results of `repeat` by name; the first is what the others are compared with.
    measure : str
        A measure that all of them have, such as ``"test_accuracy"``.
    test_to_train : float, optional
        Number of test rows divided by the number of training rows, where each seed splits the same
        table anew. Such splits share most of their rows, so that their differences are not
        independent, and the variance of the mean is not ``s**2 / n`` but
        ``s**2 * (1 / n + test_to_train)`` (Nadeau and Bengio, 2003). Leave it out for draws of
        new rows, and for seeds on one data set.

    Returns
    -------
    pandas.DataFrame
        A row for each name, with ``mean`` and ``std`` (standard deviation over seeds) of the
        measure; ``diverged``, the number of seeds whose measure is no finite number;
        ``difference``, the mean of the paired differences to the first; ``low`` and ``high``, the
        ends of its confidence interval. The first row has no difference.

    Raises
    ------
    TypeError
        If ``runs`` is no dict of results.
    ValueError
        If a measure or a seed is missing from one of the runs, or a seed occurs twice.

    References
    ----------
    C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine Learning 52,
    239-281 (2003), https://doi.org/10.1023/A:1024068626366
    """
    _check(runs, test_to_train)
    values = {name: _by_seed(frame, name, measure) for name, frame in runs.items()}
    reference_name, reference = next(iter(values.items()))
    rows = []
    for name, value in values.items():
        if not value.index.equals(reference.index):
            raise ValueError(
                f"{name!r} and {reference_name!r} have different seeds; "
                "repeat both with the same seeds to compare them in pairs"
            )
        row = {
            "mean": value.mean(skipna=False),
            "std": value.std(skipna=False),
            "diverged": int(value.isna().sum()),
        }
        if name != reference_name:
            row |= _paired_difference(value - reference, len(runs) - 1, test_to_train or 0.0)
        rows.append(row)
    return pd.DataFrame(rows, index=pd.Index(values, name="runs")).reindex(
        columns=["mean", "std", "diverged", "difference", "low", "high"]
    )


def _check(runs, test_to_train):
    if not isinstance(runs, dict) or not runs:
        raise TypeError(
            "runs must be a dict of results of training.repeat by name, such as "
            f'{{"hinge": runs}}; got {type(runs).__name__}'
        )
    for name, frame in runs.items():
        if not isinstance(frame, pd.DataFrame) or not {"seed", "measure", "value"} <= {*frame}:
            raise TypeError(f"{name!r} is no result of training.repeat: {type(frame).__name__}")
    if test_to_train is not None and not 0 < test_to_train < np.inf:
        raise ValueError(
            "test_to_train must be the number of test rows divided by that of training rows, "
            f"got {test_to_train!r}"
        )


def _by_seed(frame, name, measure):
    chosen = frame[frame["measure"] == measure]
    if chosen.empty:
        known = ", ".join(frame["measure"].unique())
        raise ValueError(f"{name!r} has no measure {measure!r}; it has {known}")
    if "epoch" in chosen:
        chosen = chosen[chosen["epoch"] == chosen.groupby("seed")["epoch"].transform("max")]
    if chosen["seed"].duplicated().any():
        several = "learning rates" if "learning_rate" in chosen else "rows"
        raise ValueError(f"{name!r} has several {several} for a seed: leave one of each seed")
    values = chosen.set_index("seed")["value"].sort_index()
    return values.where(np.isfinite(values))


def _paired_difference(difference, intervals, test_to_train):
    number = len(difference)
    mean = difference.mean(skipna=False)
    variance = difference.var(skipna=False) * (1 / number + test_to_train)
    tail = (1 - _CONFIDENCE) / 2 / intervals
    half = np.sqrt(variance) * stats.t.ppf(1 - tail, number - 1)
    return {"difference": mean, "low": mean - half, "high": mean + half}
