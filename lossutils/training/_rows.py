"""Rows of an array, or of each of several arrays that are nested in dicts, lists and tuples."""

import keras


def apply(function, arrays):
    """Apply a function to each array; None, which stands for no weights, stays."""
    return keras.tree.map_structure(
        lambda array: None if array is None else function(array), arrays
    )


def take(arrays, rows):
    """Return the rows with these numbers, or of a slice."""
    return apply(lambda array: array[rows], arrays)


def number(arrays):
    """Return how many rows the arrays have."""
    return keras.tree.flatten(arrays)[0].shape[0]


def layout(arrays):
    """Return how arrays are nested, with their shapes and types, as something hashable."""
    return tuple(
        (path, None if array is None else (array.shape, array.dtype.str))
        for path, array in keras.tree.flatten_with_path(arrays)
    )
