"""The loss of the best prediction that is the same for all rows."""

import numpy as np

# Numbers of the targets that are tried as constants of a regression.
_QUANTILES = np.linspace(0.05, 0.95, 19)


def loss(head, y, y_judged, value_of):
    """Return the loss of the best constant, or None where no constant is known.

    The constants come from targets; each is tried, so what is returned is reached by one of them.

    Parameters
    ----------
    head : Head
    y, y_judged : ndarray
        Targets that the constants are made from, and those that they are judged on.
    value_of : callable
        Takes targets and predictions and returns the mean loss.

    Returns
    -------
    float or None
    """
    entry, shape = head.loss.entry, head.output.shape
    if entry is None or not shape or len(shape) < 2 or None in shape[1:]:
        return None
    values = []
    for constant in _constants(head, y):
        predictions = np.broadcast_to(constant, (len(y_judged), *shape[1:])).astype("float32")
        values.append(value_of(y_judged, predictions))
    return min((value for value in values if np.isfinite(value)), default=None)


def _constants(head, y):
    """Return arrays that broadcast over the rows, or nothing for losses between rows."""
    entry, units = head.loss.entry, head.units
    encoding = head.loss.targets
    if entry.predictions.encoding not in (
        *("real", "distribution", "probability", "score", "cumulative logits"),
    ):
        return []
    if entry.predictions.encoding == "cumulative logits":
        return []
    if encoding == "integer":
        labels = y.astype(int).ravel()
        if labels.min() < 0 or labels.max() >= units:
            return []
        shares = np.bincount(labels, minlength=units) / len(labels)
        return [_as_predicted(head, shares, several=False)]
    rows = y.reshape(-1, y.shape[-1] if y.ndim > 1 else 1).astype(float)
    if rows.shape[1] != units:
        return []
    if encoding == "real" or entry.name == "poisson":
        return [rows.mean(axis=0), *np.quantile(rows, _QUANTILES, axis=0)]
    mean = rows.mean(axis=0)
    if entry.predictions.encoding == "score":
        low = rows.min()
        share = mean if low >= 0 else (mean + 1) / 2
        top = np.where(share == share.max(), 1.0, 0.0) if units > 1 else None
        sides = np.where(share > 0.5, 1.0, -1.0)
        return [sides, 0 * sides] if top is None else [sides, 0 * sides, top]
    several = entry.predictions.encoding == "probability"
    return [_as_predicted(head, mean, several)]


def _as_predicted(head, shares, several):
    """Turn shares of the classes into what the output layer gives."""
    if not head.loss.from_logits:
        return shares
    shares = np.clip(shares, 1e-7, 1 - 1e-7)
    return np.log(shares / (1 - shares)) if several else np.log(shares)
