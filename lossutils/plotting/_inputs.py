"""What callers pass, as plain arrays, or an error that says what to change."""

from collections.abc import Mapping

import numpy as np
import pandas as pd


def column(values, name):
    """Return floats of shape (n,) from (n,), (n, 1) or a column of a DataFrame."""
    values = np.asarray(values, dtype=float)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name} must have shape (n,) or (n, 1) with n > 0; got {values.shape}.")
    return values


def labels_of(y, name="y"):
    """Integer labels of shape (n,) from integers (n,) or (n, 1), or from rows of shape (n, K)."""
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1:
        return y.argmax(axis=1)
    if y.dtype.kind not in "biufOUS" or y.ndim not in (1, 2) or y.size == 0:
        raise ValueError(f"{name} must hold labels of shape (n,), (n, 1) or (n, K); got {y.shape}.")
    y = y.reshape(-1)
    if y.dtype.kind in "OUS":
        raise ValueError(f"{name} holds text; pass integer labels and the text as class_names.")
    if y.dtype.kind == "f" and not np.array_equal(y, np.round(y)):
        raise ValueError(
            f"{name} holds values that are no labels, such as {y[y != np.round(y)][0]:g}; "
            "turn probabilities into labels with a threshold first."
        )
    labels = y.astype(int)
    if -1 in labels and np.isin(labels, (-1, 1)).all():
        return (labels + 1) // 2  # the labels that some hinge losses take, as classes 0 and 1
    return labels


def check_scale(scale, values):
    if scale not in ("linear", "log"):
        raise ValueError(f"scale must be 'linear' or 'log'; got {scale!r}.")
    if scale == "log" and values.min() <= 0:
        raise ValueError(f"scale='log' needs positive values; the smallest is {values.min():g}.")


def rows_of(runs, measure, needs=()):
    """Rows of one measure for each name, checked so that an error says what to change."""
    if not isinstance(runs, Mapping) or not runs:
        raise ValueError(
            "runs must map a name to the DataFrame that training.repeat returns, "
            "such as {'hinge': training.repeat(...)}."
        )
    frames = {}
    for name, frame in runs.items():
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(f"runs[{name!r}] must be a DataFrame; got {type(frame).__name__}.")
        missing = [c for c in ("seed", "measure", "value", *needs) if c not in frame.columns]
        if missing:
            remedy = " Repeat the training with curves=True." if missing == ["epoch"] else ""
            raise ValueError(
                f"runs[{name!r}] has no column {missing[0]!r}; "
                f"its columns are {list(frame.columns)}.{remedy}"
            )
        rows = frame[frame["measure"] == measure]
        if rows.empty:
            raise ValueError(
                f"runs[{name!r}] has no measure {measure!r}; "
                f"it has {sorted(frame['measure'].unique())}."
            )
        frames[name] = rows
    return frames
