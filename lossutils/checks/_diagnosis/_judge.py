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


def chance_of_numbers(y, predicted):
    """Return how probable so large a correlation is where predictions have nothing to do with y."""
    if np.ptp(predicted) == 0 or np.ptp(y) == 0:
        return 1.0
    return float(stats.pearsonr(predicted, y, alternative="greater").pvalue)


def chance_of_labels(labels, probabilities):
    """Return how probable such probabilities of the labels are where these are in a random order.

    Mean and variance of the sum over all orders are known; its distribution is nearly normal.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Counted from 0.
    probabilities : ndarray of shape (n, classes)
    """
    number, classes = probabilities.shape
    shares = np.bincount(labels, minlength=classes) / number
    # What is left of the probabilities after the means over the labels and over the rows.
    left = probabilities - (probabilities @ shares)[:, None]
    left = left - left.mean(axis=0)
    variance = (left**2 @ shares).sum() * number / (number - 1)
    if variance <= 0:
        return 1.0
    return float(stats.norm.sf(left[np.arange(number), labels].sum() / np.sqrt(variance)))


def is_signal(chances):
    """Tell whether one of several models finds something, from its chances on several splits.

    Twice the median of chances that depend on each other is one that holds for all of them.

    Parameters
    ----------
    chances : list of ndarray
        For each model, the chance on each split.
    """
    return any(2 * np.median(each) < _CHANCE / len(chances) for each in chances)
