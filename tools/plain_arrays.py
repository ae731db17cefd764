"""Short forms of what the definitions do to their arguments, for the page of all losses.

`lossutils.losses` says what is wrong with an argument and what to do about it. The page shows the
formula: it prints these in place of the functions of the same names. A test runs what is printed.
"""

import numpy as np


def same_shape(y_true, y_pred):
    """Convert both; refuse what NumPy would broadcast."""
    y_true, y_pred = np.asarray(y_true, dtype=float), np.asarray(y_pred, dtype=float)
    if y_true.shape != y_pred.shape:
        raise ValueError(f"the shapes {y_true.shape} and {y_pred.shape} differ")
    return y_true, y_pred


def labels(y_true, y_pred):
    """Give each row of predictions its label."""
    y_pred = np.asarray(y_pred, dtype=float)
    return np.reshape(y_true, y_pred.shape[:-1]), y_pred


def labels_of_a_batch(y_true, y_pred):
    """Give each embedding its label."""
    label, y_pred = labels(y_true, y_pred)
    if label.ndim != 1:
        raise ValueError(f"embeddings have the shape (n, d), not {y_pred.shape}")
    return label, y_pred


def _above(y_true, y_pred):
    label, y_pred = labels(y_true, y_pred)
    if np.any((label < 0) | (label > y_pred.shape[-1])):
        raise ValueError("a label is not one of the classes")
    return label[..., None] > np.arange(y_pred.shape[-1]), y_pred


def class_numbers(y_true, y_pred, ignore_class=None):
    """Use the labels as indices."""
    label, y_pred = labels(y_true, y_pred)
    counted = np.full(label.shape, True) if ignore_class is None else label != ignore_class
    label = np.where(counted, label, 0).astype(int)
    if np.any((label < 0) | (label >= y_pred.shape[-1])):
        raise ValueError("a label is not one of the classes")
    return label, counted, y_pred


def for_each_output(name, value, y_pred):
    """Take one number, or one for each output."""
    return np.asarray(value, dtype=float)


def _mean_and_log_variance(y_true, y_pred):
    mean, log_variance = np.split(np.asarray(y_pred, dtype=float), 2, axis=-1)
    y_true, mean = same_shape(y_true, mean)
    return y_true, mean, log_variance


def _sequences(y_true, y_pred):
    y_true, y_pred = np.asarray(y_true, dtype=int), np.asarray(y_pred, dtype=float)
    return [row[row != 0] for row in y_true], y_pred
