"""What the checker has to know of an array of targets, inputs or weights, read in one pass.

Arrays are read in blocks of rows, so that nothing large is copied.
"""

from dataclasses import dataclass

import keras
import numpy as np

# Numbers that are read at once.
_BLOCK = 1 << 18

# Distinct values that are counted; targets with more are no class labels.
_DISTINCT = 256

# Larger arrays are read in part: one of every k rows.
_INPUT_NUMBERS = 4_000_000
_TARGET_NUMBERS = 2_000_000


def as_array(values):
    """Return values as an ndarray in the shape in which `model.fit` sees them, or None."""
    if values is None or hasattr(values, "nested_row_lengths"):  # a ragged tensor
        return None
    try:
        if type(values).__module__.startswith("pandas"):
            array = values.to_numpy()
            return array[:, None] if array.ndim == 1 else array  # as Keras does
        if isinstance(values, (np.ndarray, list, tuple)):
            array = np.asarray(values)
        elif hasattr(values, "toarray"):  # a sparse matrix
            return None
        else:
            array = keras.ops.convert_to_numpy(values)
    except Exception:  # rows of different lengths, tensors without values: not for us to judge
        return None
    return array if array.ndim else None


@dataclass
class Targets:
    """Targets of one output.

    Attributes
    ----------
    shape : tuple of int
        As `model.fit` sees it.
    text : object or None
        A value that is no number, where there is one.
    missing : int
        How many values are NaN or infinite.
    low, high, mean, std : float
        Of all values that are finite.
    whole : bool
        Whether all are whole numbers.
    counts : dict or None
        How often each value occurs; None where there are too many different ones.
    row_sums : tuple of float or None
        The smallest and the largest sum of a row, of the last axis, where it is longer than 1.
    row_counts : ndarray or None
        For rows of 0 and 1, how often each position is 1.
    partial : bool
        Whether only the first rows were read.
    rows_read : int
        How many rows `counts`, `row_sums` and `row_counts` are of: all, or one of every k.
    """

    shape: tuple
    text: object = None
    missing: int = 0
    low: float = np.nan
    high: float = np.nan
    mean: float = np.nan
    std: float = np.nan
    whole: bool = True
    counts: dict | None = None
    row_sums: tuple | None = None
    row_counts: np.ndarray | None = None
    partial: bool = False
    rows_read: int = 0

    @property
    def rows(self):
        """The number of samples; 0 of what is no array of numbers."""
        return self.shape[0] if self.shape else 0

    @property
    def values(self):
        """The distinct values in order, or None where there are too many."""
        return None if self.counts is None else sorted(self.counts)

    def only(self, *allowed):
        """Whether there are no other values than these."""
        if self.counts is None:
            return False
        return {*self.counts, *((self.low, self.high) if self.counts else ())} <= set(allowed)

    @property
    def zero_one(self):
        """Whether all values are 0 or 1."""
        return self.only(0, 1)

    @property
    def one_hot(self):
        """Whether each row, of length above 1, has a single 1 and else 0."""
        return self.row_sums == (1, 1) and self.zero_one

    @property
    def several_labels(self):
        """Whether rows of 0 and 1 have more than a single 1."""
        return self.row_sums is not None and self.row_sums[1] > 1 and self.zero_one

    @property
    def class_numbers(self):
        """Whether these may be the numbers of classes: whole, few, one a sample."""
        return (
            self.row_sums is None
            and self.whole
            and self.counts is not None
            and len(self.counts) <= max(2, self.rows // 5)
            and self.low >= -1
            and self.high <= 1000
        )


def rows_read(shape, numbers=_TARGET_NUMBERS):
    """Return an index to the rows that are read of an array of this shape.

    One of every k rows, but not the same one of each: rows that alternate would else look alike.
    """
    step = max(1, -(-int(np.prod(shape)) // numbers))
    if step == 1:
        return slice(None)
    starts = np.arange(0, shape[0], step)
    within = np.random.default_rng(0).integers(step, size=len(starts))
    return np.minimum(starts + within, shape[0] - 1)


def thinned(array):
    """Return the rows that are read of an array of more than 2 million numbers."""
    return array[rows_read(array.shape)]


def summarize(array, partial=False):
    """Read targets once: the smallest and the largest of all, the rest of at most 2 million.

    Parameters
    ----------
    array : ndarray
    partial : bool
        Whether these are the first rows only.

    Returns
    -------
    Targets
    """
    array, text = _numbers(array)
    if array is None or text is not None or not array.size:
        return Targets(() if array is None else array.shape, text=text, partial=partial)
    width = array.shape[-1] if array.ndim > 1 else 1
    part = thinned(array)
    rows = part.reshape(-1, width)
    result = Targets(
        array.shape, low=np.inf, high=-np.inf, counts={}, partial=partial, rows_read=len(part)
    )
    if len(part) < len(array):
        _read_extremes(array, result)
    total = squares = origin = 0.0
    finite_count = 0
    sums = (np.inf, -np.inf)
    ones = np.zeros(width)
    step = max(1, _BLOCK // width)
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        good = block
        if block.dtype.kind == "f":
            finite = np.isfinite(block)
            if not finite.all():
                if len(part) == len(array):
                    result.missing += int(block.size - finite.sum())
                good = block[finite]
        if not good.size:
            continue
        result.low = min(result.low, float(good.min()))
        result.high = max(result.high, float(good.max()))
        if not finite_count:
            origin = float(good.flat[0])  # the variance of numbers far from 0 needs it
        moved = good.astype(np.float64) - origin
        finite_count += good.size
        total += moved.sum()
        squares += np.square(moved).sum()
        if result.whole and good.dtype.kind == "f":
            result.whole = bool((np.floor(good) == good).all())
        zero_one = result.whole and result.low >= 0 and result.high <= 1
        result.counts = _counted(result.counts, good, zero_one)
        if width > 1:
            row_sums = block.sum(axis=1, dtype=np.float64)
            sums = min(sums[0], float(row_sums.min())), max(sums[1], float(row_sums.max()))
            ones += (block == 1).sum(axis=0)
    if finite_count:
        mean = total / finite_count
        result.mean = origin + mean
        result.std = float(np.sqrt(max(squares / finite_count - mean**2, 0.0)))
    if width > 1:
        result.row_sums = sums
        result.row_counts = ones if result.zero_one else None
    return result


def _read_extremes(array, result):
    """Note the smallest and the largest of all numbers, and how many are missing."""
    low, high = array.min(), array.max()  # both pass NaN on, and need no copy
    if np.isfinite(low) and np.isfinite(high):
        result.low, result.high = float(low), float(high)
        return
    step = max(1, _BLOCK * len(array) // array.size)
    for start in range(0, len(array), step):
        block = array[start : start + step]
        finite = np.isfinite(block)
        result.missing += int(block.size - finite.sum())
        if finite.any():
            result.low = min(result.low, float(block[finite].min()))
            result.high = max(result.high, float(block[finite].max()))


def _numbers(array):
    """Return (numbers, None), or (array, an entry that is no number)."""
    if array.dtype.kind in "iuf":
        return array, None
    if array.dtype.kind == "b":
        return array.view(np.uint8), None
    if array.dtype.kind == "O":
        text = next((value for value in array.flat if isinstance(value, (str, bytes))), None)
        if text is not None:  # "1" as well: Keras takes no text
            return array, text
        try:
            return array.astype(np.float64), None
        except (TypeError, ValueError):
            entries = (value for value in array.flat if not isinstance(value, (int, float)))
            return array, next(entries, array.flat[0])
    if array.dtype.kind == "c":
        return None, None
    if array.dtype.kind in "USMm":
        return array, array.flat[0] if array.size else ""
    try:  # a type of its own, such as bfloat16
        return array.astype(np.float32), None
    except (TypeError, ValueError):
        return None, None


def _counted(counts, block, zero_one):
    if counts is None:
        return None
    if zero_one:  # rows that are one-hot need no sort
        ones = np.count_nonzero(block)
        for value, number in ((0, block.size - ones), (1, ones)):
            if number:
                counts[value] = counts.get(value, 0) + number
        return counts
    if block.size > 4096 and len(np.unique(block.ravel()[:: block.size // 1024])) > _DISTINCT:
        return None  # a look at a part spares the sort of all
    values, numbers = np.unique(block, return_counts=True)
    if len(values) > _DISTINCT:
        return None
    for value, number in zip(values.tolist(), numbers.tolist(), strict=True):
        counts[value] = counts.get(value, 0) + number
    return counts if len(counts) <= _DISTINCT else None


@dataclass
class Inputs:
    """One array of inputs.

    Attributes
    ----------
    shape : tuple of int
    finite : bool
    high : float
        The largest absolute value that is finite.
    constant : bool
        Whether all rows are equal.
    rows_read : ndarray or None
        The rows that were looked at, all or one of every k. None where they are no numbers.
    """

    shape: tuple
    finite: bool = True
    high: float = 0.0
    constant: bool = False
    rows_read: np.ndarray | None = None


def look_at(array):
    """Read an array of inputs, large ones in part."""
    if array.dtype.kind not in "iufb" or not array.size:
        return Inputs(array.shape)
    part = array[rows_read(array.shape, _INPUT_NUMBERS)]
    # Minimum and maximum pass NaN and infinity on, and need no copy.
    low, high = float(part.min()), float(part.max())
    finite = bool(np.isfinite(low) and np.isfinite(high))
    if not finite:
        numbers = part[np.isfinite(part)]
        low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)
    constant = len(part) > 1 and bool((part[:2] == part[0]).all()) and bool((part == part[0]).all())
    return Inputs(array.shape, finite, max(abs(low), abs(high)), constant, part)
