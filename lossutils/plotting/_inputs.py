"""What callers pass, as plain arrays, or an error that says what to change."""

from collections.abc import Mapping
from numbers import Integral

import numpy as np
import pandas as pd


def _array(values, name):
    if np.ma.is_masked(values):
        raise ValueError(f"{name} has masked values; fill or drop them first.")
    try:
        if isinstance(values, pd.Series | pd.DataFrame) and pd.isna(values).to_numpy().any():
            # A nullable column that misses a value would become an array of objects.
            values = values.astype(float)
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} cannot be read as an array of numbers: {error}") from error


def real(values, name):
    """Return an array of real numbers, booleans among them, of any shape."""
    array = _array(values, name)
    if array.dtype.kind in "mM":
        raise TypeError(
            f"{name} holds dates or durations; turn them into numbers with a unit first, such as "
            "days since the first of them."
        )
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}, not real numbers; convert it first.")
    return array


def finite(values, name):
    """Return an array of real numbers, none of them NaN or infinite."""
    array = real(values, name)
    bad = array.size - np.count_nonzero(np.isfinite(array))
    if bad:
        raise ValueError(
            f"{name} has {bad} values that are NaN or infinite; drop them, or look for a training "
            "that diverged."
        )
    return array


def column(values, name, check=finite):
    """Return floats of shape (n,) from (n,), (n, 1) or a column of a DataFrame."""
    values = check(values, name).astype(float)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name} must have shape (n,) or (n, 1) with n > 0; got {values.shape}.")
    return values


def labels_of(y, name="y"):
    """Integer labels of shape (n,) from integers (n,) or (n, 1), or from rows of shape (n, K)."""
    if _array(y, name).dtype.kind in "OUS":
        raise ValueError(f"{name} holds text; pass integer labels and the text as class_names.")
    y = finite(y, name)
    if y.ndim not in (1, 2) or y.size == 0:
        raise ValueError(f"{name} must hold labels of shape (n,), (n, 1) or (n, K); got {y.shape}.")
    if y.ndim == 2 and y.shape[1] > 1:
        return y.argmax(axis=1)
    y = y.reshape(-1)
    if y.dtype.kind == "f" and not np.array_equal(y, np.round(y)):
        raise ValueError(
            f"{name} holds values that are no labels, such as {y[y != np.round(y)][0]:g}; "
            "turn probabilities into labels with a threshold first."
        )
    labels = y.astype(int)
    if -1 in labels and np.isin(labels, (-1, 1)).all():
        return (labels + 1) // 2  # the labels that some hinge losses take, as classes 0 and 1
    return labels


def check_number(value, name, low, high):
    """Refuse a number of parts that is none, or so large that the figure would never be done."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high:,}; got {value!r}.")


def check_scale(scale, values):
    if scale not in ("linear", "log"):
        raise ValueError(f"scale must be 'linear' or 'log'; got {scale!r}.")
    if scale == "log" and values.min() <= 0:
        raise ValueError(f"scale='log' needs positive values; the smallest is {values.min():g}.")


def rows_of(runs, measure, needs=(), key=("seed",)):
    """Rows of one measure for each name, checked so that an error says what to change.

    ``key`` names the columns that tell one training from another.
    """
    if not isinstance(runs, Mapping) or not runs:
        raise ValueError(
            "runs must map a name to the DataFrame that training.repeat returns, "
            "such as {'hinge': training.repeat(...)}."
        )
    if not isinstance(measure, str):
        raise TypeError(
            f"measure must be one name, such as 'test_accuracy'; got {measure!r}. "
            "Draw a figure for each measure."
        )
    frames = {}
    for name, frame in runs.items():
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(f"runs[{name!r}] must be a DataFrame; got {type(frame).__name__}.")
        missing = [c for c in (*key, "measure", "value", *needs) if c not in frame.columns]
        if missing:
            raise ValueError(
                f"runs[{name!r}] has no column {missing[0]!r}; "
                f"its columns are {list(frame.columns)}.{_REMEDIES.get(missing[0], '')}"
            )
        rows = frame[frame["measure"] == measure]
        if rows.empty:
            raise ValueError(
                f"runs[{name!r}] has no measure {measure!r}; "
                f"it has {sorted(frame['measure'].unique())}."
            )
        _check_unique(rows, name, key)
        values = real(rows["value"], f"the column 'value' of runs[{name!r}]").astype(float)
        # A training that diverges may pass through infinity on its way to NaN.
        frames[name] = rows.assign(value=np.where(np.isfinite(values), values, np.nan))
    return frames


_REMEDIES = {
    "epoch": " Repeat the training with curves=True.",
    "learning_rate": " Repeat the training with learning_rates=[...] and choose_by=None.",
}


def _check_unique(rows, name, key):
    """Refuse a training that is there twice: it would count twice."""
    columns = [*key, "epoch"] if "epoch" in rows.columns else [*key]
    twice = rows[rows.duplicated(columns)]
    if twice.empty:
        return
    which = ", ".join(f"{column} {twice[column].iloc[0]}" for column in key)
    several_rates = "learning_rate" in rows.columns and "learning_rate" not in key
    remedy = "leave one of each seed" + (
        ", or draw all learning rates with plotting.rates" if several_rates else ""
    )
    raise ValueError(f"runs[{name!r}] has several values for {which}; {remedy}.")


def last_epoch(rows, key=("seed",)):
    """Return the last row of each training, where every epoch is kept."""
    if "epoch" not in rows.columns:
        return rows
    return rows.sort_values("epoch", kind="stable").drop_duplicates([*key], keep="last")
