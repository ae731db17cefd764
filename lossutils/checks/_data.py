"""What is read of the data that `model.fit` would get: arrays, or the first batches of a set."""

import inspect
from dataclasses import dataclass, field

import keras
import numpy as np

from lossutils.checks import _arrays

# Batches that are read of a data set that comes in batches.
_BATCHES = 10


@dataclass
class Data:
    """Inputs, targets and weights as they were read.

    Attributes
    ----------
    x, y, sample_weight : nested ndarrays or None
        An array that could not be read is None.
    partial : bool
        Whether these are the first batches of something larger.
    in_order : bool
        Whether `fit` takes the rows in the order in which they were read.
    unread : list of (str, str)
        What could not be read, and what to pass instead.
    batches_equal : int
        How many batches of a PyDataset were read, where all are the same; else 0.
    """

    x: object = None
    y: object = None
    sample_weight: object = None
    partial: bool = False
    in_order: bool = False
    unread: list = field(default_factory=list)
    batches_equal: int = 0

    @property
    def inputs(self):
        """Return a list of (name, ndarray), without what could not be read."""
        flat = flattened(self.x)
        names = list(self.x) if isinstance(self.x, dict) else [""] * len(flat)
        return [(name, a) for name, a in zip(names, flat, strict=True) if a is not None]


def read(x, y=None, sample_weight=None, name="x"):
    """Read what can be read without using it up.

    Parameters
    ----------
    x, y, sample_weight : object
        As for `model.fit`.
    name : str
        How messages call `x`.

    Returns
    -------
    Data
    """
    if hasattr(x, "element_spec") or isinstance(x, keras.utils.PyDataset):
        in_order = not isinstance(x, keras.utils.PyDataset)  # whose batches are shuffled
        taken = _first_batches(x)
        data = Data(*map(arrays, _together(taken)), partial=True, in_order=in_order)
        if not in_order and len(taken) > 1 and all(_equal(taken[0], batch) for batch in taken):
            data.batches_equal = len(taken)
        if data.x is None:
            data.unread.append((f"{name} yields no batch", "pass a data set that is not empty"))
        return data
    kind = _unreadable(x)
    if kind:
        remedy = f"pass what fit() gets in its first steps, as arrays: {kind[1]}"
        return Data(unread=[(f"{name} is {kind[0]}, of which nothing was looked at", remedy)])
    data = Data(arrays(x), arrays(y), arrays(sample_weight))
    for what, given, taken in ((name, x, data.x), ("y", y, data.y)):
        if given is not None and (taken is None or any(a is None for a in flattened(taken))):
            message = f"{what} holds a {_kind(given)}, of which nothing was looked at"
            data.unread.append((message, "pass arrays with as many numbers in each row"))
    return data


def _unreadable(x):
    """Return what something is that cannot be read twice, and how to get arrays of it, or None."""
    if inspect.isgenerator(x) or hasattr(x, "__next__"):
        return "a generator, which can be read only once", "x, y = next(make_generator())"
    if inspect.isroutine(x):
        return f"the function {getattr(x, '__name__', 'x')!r}", "x, y = next(make_generator())"
    if type(x).__module__.startswith(("torch.utils.data", "grain")):
        return f"a {type(x).__name__}, whose order is drawn anew", "x, y = next(iter(loader))"
    return None


def _kind(given):
    """Name the type of the first part that is no array."""
    parts = [p for p in keras.tree.flatten(given) if p is not None and _arrays.as_array(p) is None]
    return type(parts[0] if parts else given).__name__


def arrays(values):
    """Turn each array of a structure into an ndarray; a list of numbers is one array."""
    if isinstance(values, dict):
        return {name: _arrays.as_array(value) for name, value in values.items()}
    if isinstance(values, (list, tuple)) and values and hasattr(values[0], "shape"):
        return [_arrays.as_array(value) for value in values]
    return _arrays.as_array(values)


def flattened(structure):
    """Return the arrays of a structure of `arrays` as a list."""
    if structure is None:
        return []
    if isinstance(structure, dict):
        return list(structure.values())
    return structure if isinstance(structure, list) else [structure]


def _first_batches(batches):
    """Return (x, y, weights) of each of the first batches."""
    if isinstance(batches, keras.utils.PyDataset):
        taken = [batches[i] for i in range(_number(batches))]
    else:
        taken = list(batches.take(_BATCHES))
    taken = [batch if isinstance(batch, tuple) else (batch,) for batch in taken]
    return [(*batch, None, None)[:3] for batch in taken]


def _together(taken):
    """Return x, y and weights of some batches, each joined."""
    if not taken:
        return None, None, None
    try:
        return _joined(taken)
    except ValueError:  # batches that are filled up to different lengths
        return _joined(taken[:1])


def _equal(one, other):
    """Tell whether two batches have the same inputs."""
    pairs = [[_arrays.as_array(a) for a in keras.tree.flatten(batch[0])] for batch in (one, other)]
    return len(pairs[0]) == len(pairs[1]) and all(
        a is not None and b is not None and a.shape == b.shape and bool((a == b).all())
        for a, b in zip(*pairs, strict=True)
    )


def _number(batches):
    """Return how many batches of a `PyDataset` to read; one without an end has no number."""
    try:
        number = batches.num_batches
    except NotImplementedError:
        number = None
    return _BATCHES if number is None else min(_BATCHES, number)


def _joined(batches):
    def joined(*parts):
        read = [_arrays.as_array(part) for part in parts]
        whole = all(array is not None for array in read)
        return np.concatenate(read) if whole else None

    return tuple(
        None if part[0] is None else keras.tree.map_structure(joined, *part)
        for part in zip(*batches, strict=True)
    )
