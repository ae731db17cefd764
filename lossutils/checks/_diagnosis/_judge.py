"""When a change is a cause: clear of chance, and large enough to matter."""

import numpy as np
from scipy import stats

MATTERS = 0.1
_CHANCE = 0.05


def lower_bound(differences, intervals, test_to_train):
    """Return the lower end of the one-sided interval of a mean of paired differences.

    Of so many intervals, each has the confidence 1 - 0.05 / intervals (Bonferroni). Splits that
    overlap are not independent, which ``test_to_train`` corrects (Nadeau and Bengio, 2003).

    Parameters
    ----------
    differences : ndarray of shape (seeds,)
    intervals : int
    test_to_train : float

    Returns
    -------
    float
        NaN for a single seed, whose difference cannot be told from chance.
    """
    number = len(differences)
    if number < 2:
        return np.nan
    error = np.sqrt(differences.var(ddof=1) * (1 / number + test_to_train))
    return float(differences.mean() - error * stats.t.ppf(1 - _CHANCE / intervals, number - 1))


def at_least(values, floor):
    """Count a training that diverged, or is worse than the constant, as the constant."""
    return np.maximum(np.nan_to_num(values, nan=-np.inf), floor)


def verdict(difference, low, gap):
    """Name what a mean difference and its lower bound say, where ``gap`` is there to be closed."""
    matters = difference >= MATTERS * gap
    if matters and low > 0:
        return "cause"
    if matters:
        return "unclear"
    if low > 0:
        return "small"
    if difference <= -MATTERS * gap:
        return "worse"
    return "no effect"
