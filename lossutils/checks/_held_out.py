"""How rows to validate on relate to the rows to train on: repeated, or scaled by themselves."""

import numpy as np

# Rows from which on a share says something.
_ENOUGH = 30

# Rows that are looked for, and those of them that are compared number by number.
_ASKED, _COMPARED = 500, 30

# Numbers of the training rows that the search looks at.
_NUMBERS = 500_000

# Into so many steps the range of a column is divided, so that rounding makes no row another one.
_STEPS = 1e5

# Columns of a table, and its rows, that are looked at one by one.
_COLUMNS, _ROWS = 500, 1000

# Numbers of a window of a series that do not come again by chance, even where they are rounded.
_MANY = 64

# A mean and a spread as near as this to 0 and 1 were made so, from these very rows.
_MADE = 1e-4


def repeated_share(train, held_out):
    """Return the share of the held-out rows that are also training rows, NaN where unknown.

    Rows that chance may repeat are unknown, such as those of a few categories, and so are those of
    a series that repeats itself.

    Parameters
    ----------
    train, held_out : list of ndarray
        The inputs of each, in the same order.

    Returns
    -------
    float
    """
    if not _comparable(train, held_out):
        return np.nan
    known = _keys(train, train, np.arange(len(train[0])))
    some, asked = (_spread(len(arrays[0]), _ASKED) for arrays in (train, held_out))
    wanted = _keys(train, held_out, asked)
    first, _ = _found(known, wanted)
    _, times = _found(known, known[some])
    once = (times == 1).mean()
    if once < 0.1:  # a series that repeats itself
        return np.nan
    repeated = np.flatnonzero(first >= 0)
    if not repeated.size:
        return 0.0
    compared = repeated[_spread(len(repeated), _COMPARED)]
    equal = np.mean([_equal(train, first[i], held_out, asked[i]) for i in compared])
    share = len(repeated) / len(asked) * equal
    different = len(np.unique(wanted[repeated])) / len(np.unique(wanted))
    if different < 0.05:  # the same few again and again, such as black pictures
        return np.nan
    whole = share > 0.95 and once > 0.8  # else chance repeats them
    return float(share) if whole or any(_tells(array) for array in train) else np.nan


def _comparable(train, held_out):
    pairs = list(zip(train, held_out, strict=False))
    if any(len({len(array) for array in arrays}) != 1 for arrays in (train, held_out)):
        return False  # none, or rows-mismatch
    return len(train) == len(held_out) and all(
        a.shape[1:] == b.shape[1:]
        and {a.dtype.kind, b.dtype.kind} <= set("iufb")
        and min(len(a), len(b)) >= _ENOUGH
        for a, b in pairs
    )


def _spread(length, number):
    return np.unique(np.linspace(0, length - 1, min(length, number)).astype(int))


def _keys(train, arrays, rows):
    """Return a number for each of some rows that nearly equal rows share, and hardly any others."""
    width = sum(int(np.prod(array.shape[1:])) for array in train)
    columns = _spread(width, int(np.clip(_NUMBERS // len(train[0]), 4, width)))
    factors = np.random.default_rng(0).integers(1, 2**63, len(columns), dtype=np.uint64) * 2 + 1
    keys, start = np.zeros(len(rows), np.uint64), 0
    for its, array in zip(train, arrays, strict=True):
        its, array = its.reshape(len(its), -1), array.reshape(len(array), -1)
        for column, factor in zip(columns - start, factors, strict=True):
            if 0 <= column < array.shape[1]:
                some = np.nan_to_num(its[:: max(1, len(its) // _ROWS), column], posinf=0, neginf=0)
                size = float(np.abs(some).max()) or 1.0
                part = array[:, column] if len(rows) == len(array) else array[rows, column]
                part = np.nan_to_num(part.astype(np.float64) * (_STEPS / size))
                part = np.round(part.clip(-(2.0**62), 2.0**62)).astype(np.int64)
                keys += part.view(np.uint64) * factor
        start += array.shape[1]
    return keys


def _found(known, wanted):
    """Return where each of the wanted keys is first known, -1 where not, and how often it is."""
    names, back = np.unique(wanted, return_inverse=True)
    ends = np.zeros(1 << 16, bool)  # most keys differ in their last bits already
    ends[names & 0xFFFF] = True
    near = np.flatnonzero(ends[known & 0xFFFF])
    places = np.searchsorted(names, known[near])
    places[places == len(names)] = 0
    hit = names[places] == known[near]
    places, hits = places[hit], near[hit]
    first, times = np.full(len(names), -1), np.bincount(places, minlength=len(names))
    first[places[::-1]] = hits[::-1]
    return first[back], times[back]


def _equal(train, i, held_out, j):
    return all(
        np.array_equal(a[i], b[j], equal_nan="f" in (a.dtype.kind, b.dtype.kind))
        for a, b in zip(train, held_out, strict=True)
    )


def _tells(array):
    """Tell whether rows are of numbers that chance does not repeat: pictures, or measurements."""
    if array.ndim == 4:
        return True
    few = array[:: max(1, len(array) // _ROWS)][:_ROWS]
    if array.ndim == 3 and few[0].size >= _MANY:
        return bool((np.floor(few) != few).any())
    few = few.reshape(len(few), -1)[:, :_COLUMNS]
    return array.ndim in (2, 3) and array.dtype.kind == "f" and _measured(few).sum() >= 2


def _measured(rows):
    """Tell of each column whether it has so many different numbers as measurements have."""
    few = rows[:: max(1, len(rows) // _ROWS)][:_ROWS]
    return np.array([len(np.unique(column)) > 0.3 * len(few) for column in few.T])


def scaled_apart(train, held_out):
    """Tell whether both tables were standardized, or brought to 0 to 1, each by its own rows.

    Parameters
    ----------
    train, held_out : ndarray, shape (n, columns)

    Returns
    -------
    str or None
        How.
    """
    if train.ndim != 2 or train.shape[1:] != held_out.shape[1:] or train.shape[1] > _COLUMNS:
        return None
    if train.dtype.kind != "f" or min(len(train), len(held_out)) < _ENOUGH:
        return None
    with np.errstate(all="ignore"):  # of what is not finite nothing is said
        if all(_are_standardized(array) for array in (held_out, train)):
            return "mean 0 and standard deviation 1"
        if all(_go_from_0_to_1_once(array) for array in (held_out, train)):
            return "the smallest number 0 and the largest 1"
    return None


def _are_standardized(array):
    means = array.mean(axis=0, dtype=np.float64)
    if not (np.abs(means) < _MADE).all():  # constant columns are 0 as well
        return False
    spreads = array.std(axis=0, dtype=np.float64)
    moving = spreads > _MADE
    return bool(moving.any() and (np.abs(spreads[moving] - 1) < _MADE).all())


def _go_from_0_to_1_once(array):
    """Tell whether each column of measurements has a single 0 and a single 1 at its ends."""
    low, high = array.min(axis=0), array.max(axis=0)
    ends = (np.abs(low) < 1e-6) & (np.abs(high - 1) < 1e-6)
    if ends.sum() < 2:
        return False
    many = _measured(array)
    once = ((array == low).sum(axis=0) == 1) & ((array == high).sum(axis=0) == 1)
    return int(many.sum()) >= 2 and bool((once & ends)[many].all())


def divided_by_255(train, held_out, sizes):
    """Tell whether these are pictures, of which one part was divided by 255.

    Parameters
    ----------
    train, held_out : ndarray
    sizes : tuple of float
        The usual size of the numbers of each.
    """
    near = 0.5 < max(sizes) / min(sizes) / 255 < 2
    low, high = min(train.min(), held_out.min()), max(train.max(), held_out.max())
    return train.ndim == held_out.ndim > 2 and near and 0 <= low < 1 < high <= 255
