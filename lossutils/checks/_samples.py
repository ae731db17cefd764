"""Rules on what else `fit` gets: class weights, rows to validate on, and the order of the rows."""

import numpy as np

from lossutils.checks import _held_out
from lossutils.checks._findings import rule

RULES = {}

# How many times larger or smaller validation inputs have to be.
_FACTOR = 10

# How many standard deviations a column has to be elsewhere, or how many times as wide.
_MOVED = 3

# The share of rows to validate on that are trained on as well.
_REPEATED = 0.2

# Rows from which on a column's typical size says something.
_ENOUGH = 30

# How many times rarer a class has to be, and how many times lighter, for weights to be called
# upside down.
_RARER, _HEAVIER = 3, 2

# The share of the rows that would have to change their class, from which on the last rows are of
# another kind than the first.
_APART = 0.5

# Rows of each class in a row, and rows of a single class, from which on a data set is sorted.
_RUN, _ONE_CLASS = 10, 200

# Columns of a table that are compared one by one.
_COLUMNS = 500

# Numbers of which a typical size is taken: of all, and of a column.
_NUMBERS, _OF_A_COLUMN = 100_000, 10_000


@rule(RULES, "class-weights", "error", "Class weights that do not reach their classes")
def class_weights(setup):
    """
    Keras looks up the weight of each row under the number of its class: the position of the 1 of a
    one-hot row, the first 1 where several labels hold, 1.0 where there is no such key. Several
    outputs, or a label for each pixel or step, have no single class a row. Weights that grow with
    the number of rows of their class make a rare class rarer.
    """
    yield from _rows_upside_down(setup)
    weights = setup.class_weight
    if weights is None:
        return
    if not isinstance(weights, dict):
        yield (
            f"class_weight is a {type(weights).__name__}, and fit() takes a dict",
            "class_weight=dict(enumerate(weights))",
        )
        return
    if any(isinstance(weight, dict) for weight in weights.values()):
        yield (
            "class_weight holds weights for each output, and fit() takes one number for each class",
            "give sample_weight={name: weights of the rows} instead",
        )
        return
    if setup.weights:
        yield "fit() takes class_weight or sample_weight, not both", "multiply them into one"
    words = [key for key in weights if not isinstance(key, (int, np.integer))]
    if words:
        yield (
            f"class_weight has the key {words[0]!r}, and Keras looks up numbers of classes",
            "number the classes from 0, and use these numbers as keys",
        )
    sizes = [float(weight) for weight in weights.values()]
    if sizes and (min(sizes) < 0 or max(sizes) == 0 or not np.isfinite(sizes).all()):
        yield (
            f"the weights go from {min(sizes):g} to {max(sizes):g}",
            "use finite weights of 0 and above, at least one of them positive",
        )
    if not words:
        yield from _reached(setup, {int(key) for key in weights})
        yield from _upside_down(setup, {int(k): float(w) for k, w in weights.items()})


def _reached(setup, keys):
    trained = [head for head in setup.heads if head.loss is not None]
    if len(trained) > 1:
        yield (
            f"class_weight is for one output, and the model has {len(trained)}",
            "give sample_weight={name: weights of the rows} instead",
        )
        return
    head = trained[0] if trained else None
    if head is None or head.y is None or np.isnan(head.y.low):
        return
    y = head.y
    inner = y.shape[1:] if head.loss.targets == "integer" else y.shape[2:]
    if any(size != 1 for size in inner):
        yield (
            f"class_weight is for one class a row, and the targets have the shape {y.shape}",
            "give sample_weight an array with a weight for each position, of shape y.shape[:-1]",
        )
    elif y.several_labels:
        yield (
            f"rows have up to {y.row_sums[1]:.0f} labels, and Keras takes the weight of the first",
            "weigh the labels within the loss, or give sample_weight",
        )
    elif head.loss.for_numbers and not y.class_numbers and not y.one_hot:
        yield "class_weight is given, and the targets are numbers", "give sample_weight instead"
    else:
        yield from _without_label(y, keys)


def _upside_down(setup, weights):
    """Look for weights that are large for the frequent classes and small for the rare ones."""
    heads = [head for head in setup.heads if head.loss is not None and head.y is not None]
    if len(heads) != 1 or heads[0].loss.for_numbers:
        return
    y = heads[0].y
    if y.row_sums is None:
        counts = {int(v): n for v, n in (y.counts or {}).items()} if y.whole else {}
    else:
        counts = dict(enumerate(y.row_counts)) if y.one_hot and y.row_counts is not None else {}
    both = [(counts[c], weights.get(c, 1.0)) for c in counts if counts[c] > 0]
    if len(both) < 2 or min(weight for _, weight in both) <= 0:
        return
    numbers, sizes = np.log(np.array(both, dtype=float)).T
    if np.ptp(numbers) < np.log(_RARER) or np.ptp(sizes) < np.log(_HEAVIER):
        return
    if np.corrcoef(numbers, sizes)[0, 1] > 0.9:
        most = max(counts, key=counts.get)
        yield (
            f"class {most} has the most rows, {counts[most]:,} of those read, and one of the "
            f"largest weights, {weights.get(most, 1.0):g}",
            "weights that fall with the number of rows: "
            "len(y) / (number of classes * numpy.bincount(y))",
            "warning",
        )


def _rows_upside_down(setup):
    """Look for weights of rows that are in proportion to the number of rows of their class."""
    heads = [head for head in setup.heads if head.loss is not None and head.y is not None]
    if len(heads) != 1 or len(setup.weights) != 1 or heads[0].loss.for_numbers:
        return
    y, labels, weights = heads[0].y, heads[0].rows, setup.weights[0].reshape(-1)
    if y.one_hot and labels.ndim == 2:
        labels = labels.argmax(axis=1)
    elif not y.class_numbers:
        return
    labels = labels.reshape(-1)
    if len(labels) != len(weights) or weights.min() <= 0:
        return
    classes, first, counts = np.unique(labels, return_index=True, return_counts=True)
    each = weights[first]
    if len(classes) < 2 or not (each[np.searchsorted(classes, labels)] == weights).all():
        return
    if counts.max() >= _RARER * counts.min() and np.allclose(each / each[0], counts / counts[0]):
        yield (
            "the weights of the rows are in proportion to the number of rows of their class, so a "
            "rare class counts even less",
            "weights that fall with the number of rows: "
            "sklearn.utils.class_weight.compute_sample_weight('balanced', y)",
            "warning",
        )


def _without_label(y, keys):
    if y.row_sums is not None:
        classes = set(range(y.shape[-1])) if y.zero_one else None
    else:
        classes = None if y.counts is None or not y.whole else {int(v) for v in y.counts}
    # Of the first batches a rare class may be missing.
    if not classes or (y.partial and max(keys, default=0) <= max(classes) + 1):
        return
    without = sorted(keys - classes)
    unweighted = sorted(classes - keys)
    if without and (unweighted or len(without) == len(keys) or y.row_sums is not None):
        listed = ", ".join(str(value) for value in sorted(classes)[:8])
        yield (
            f"class_weight has {without[0]}, and the classes are {listed}"
            + (f"; class {unweighted[0]} counts 1.0" if unweighted else ""),
            f"class_weight={{{', '.join(f'{c}: ...' for c in sorted(classes)[:3])}}}",
        )


@rule(RULES, "validation-data", "warning", "Validation data of another kind than the training data")
def validation_data(setup):
    """
    What is done to the training rows has to be done to the rows to validate on: the same scaling,
    the same encoding. Otherwise the training goes well, and the validation stays at chance. And
    they have to be other rows: how well a model does on what it was trained on says nothing of new
    rows. Rows that are repeated to balance the classes before the split end up on both sides, and
    so do those of a data set that is shuffled anew in each epoch, before take() and skip().
    """
    held_out = setup.validation
    share = _repeated_share(setup)
    if share >= _REPEATED:
        in_batches = setup.partial and held_out is not None and held_out.partial
        yield (
            f"{share:.0%} of the rows to validate on are among the rows to train on",
            "split before you shuffle, or data.shuffle(n, reshuffle_each_iteration=False)"
            if in_batches
            else "split first, and repeat or draw rows of the training part only",
        )
    if held_out is None:
        return
    pairs = zip(setup.data.inputs, held_out.inputs, strict=False)
    if len(held_out.inputs) != len(setup.data.inputs):
        if held_out.inputs:
            yield (
                f"fit() gets {len(setup.data.inputs)} inputs, and validation_data "
                f"{len(held_out.inputs)}",
                "give both the same inputs",
            )
        pairs = ()
    for (name, x), (_, other) in pairs:
        called = f"the inputs{f' {name!r}' if name else ''}"
        if x.shape[1:] != other.shape[1:] and x.ndim == other.ndim == 2:
            yield (
                f"{called} have {x.shape[1]} columns, and those to validate on {other.shape[1]}",
                "make the columns from the training rows, and take the same ones of the others",
            )
        elif x.dtype.kind in "iufb" and other.dtype.kind in "iufb":
            yield from _other_scale(called, x, other)
            how = None if share >= _REPEATED else _held_out.scaled_apart(x, other)
            if how:
                yield (
                    f"{called} to train on and those to validate on have, each by themselves, "
                    f"{how} in every column",
                    "scaler.fit(x_train), then scaler.transform(x_val): no second fit_transform",
                )
    for head, other in zip(setup.heads, setup.validation_targets, strict=False):
        if head.loss is not None and head.y is not None and other is not None:
            yield from _other_targets(head, other)


def _repeated_share(setup):
    """Return the share of the rows to validate on that are trained on, NaN where unknown."""
    rows, held_out = [x for _, x in setup.data.inputs], setup.validation
    if held_out is not None:
        if [name for name, _ in setup.data.inputs] != [name for name, _ in held_out.inputs]:
            return np.nan
        return _held_out.repeated_share(rows, [x for _, x in held_out.inputs])
    if not setup.validation_split or not rows or setup.partial:
        return np.nan
    at = int(len(rows[0]) * (1 - setup.validation_split))
    return _held_out.repeated_share([x[:at] for x in rows], [x[at:] for x in rows])


def _other_scale(called, x, other):
    if not x.size or not other.size:
        return
    sizes = _typical(x), _typical(other)
    what = "most of their values are around"
    if not _far_apart(*sizes) and x.ndim == other.ndim == 2 and x.shape[1] <= _COLUMNS:
        for column in range(x.shape[1]):
            one = [_typical(table[:, column], _OF_A_COLUMN) for table in (x, other)]
            if _far_apart(*one) and _elsewhere(x[:, column], other[:, column]):
                sizes, what = one, f"most values of column {column} are around"
                break
    if _far_apart(*sizes):
        yield (
            f"{called} to train on and to validate on differ in scale: {what} {sizes[0]:.3g} and "
            f"{sizes[1]:.3g}",
            "scale both in the same way: divide the pixels of both by 255"
            if _held_out.divided_by_255(x, other, sizes)
            else "scale both with numbers from the training rows: scaler.fit(x_train), then "
            "scaler.transform of each",
        )
    elif (x.ndim > 2 and _unit(x) and _signed_unit(other)) or (_unit(other) and _signed_unit(x)):
        yield (
            f"{called} to train on and to validate on go from {x.min():.3g} to {x.max():.3g} and "
            f"from {other.min():.3g} to {other.max():.3g}",
            "preprocess both in the same way",
        )


def _typical(values, number=_NUMBERS):
    """Return the median size of what is not zero; NaN of too little."""
    values = values.reshape(-1)
    values = values[:: max(1, values.size // number)].astype(np.float64)
    values = np.abs(values[np.isfinite(values) & (values != 0)])
    return float(np.median(values)) if values.size >= _ENOUGH else np.nan


def _elsewhere(one, other):
    """Tell whether two columns differ by more than other rows do: in spread, or by far in place."""
    means, spreads = zip(*[(np.nanmean(a), np.nanstd(a)) for a in (one, other)], strict=True)
    moved = abs(means[0] - means[1]) > _MOVED * max(spreads)
    return bool(moved or max(spreads) > _MOVED * min(spreads))


def _far_apart(a, b):
    return max(a, b) > _FACTOR * min(a, b) > 0


def _unit(x):
    return x.ndim > 2 and x.min() >= 0 and 0.5 < x.max() <= 1


def _signed_unit(x):
    return x.ndim > 2 and -1.01 <= x.min() <= -0.8 and 0.5 < x.max() <= 1.01


def _other_targets(head, other):
    y = head.y
    if other.dtype.kind not in "iufb" or np.isnan(y.low) or not other.size:
        return
    if _width(y.shape) != _width(other.shape):
        yield (
            f"the targets have the shape {y.shape}, and those to validate on {other.shape}",
            "encode both in the same way",
        )
        return
    low, high = float(other.min()), float(other.max())
    if y.partial or head.loss.entry is None:
        return
    if head.loss.for_numbers:
        sizes = max(abs(y.mean), y.std), _size(other)
        if _far_apart(*sizes) and other.size >= _ENOUGH and not y.class_numbers:
            yield (
                f"the targets to train on are of the size {sizes[0]:.3g}, those to validate on "
                f"{sizes[1]:.3g}",
                "scale both with numbers from the training rows",
            )
    elif low == high and other.ndim < 3 and len(other) >= 10 and y.low != y.high:
        yield (
            f"all {len(other):,} targets to validate on are {low:g}",
            "shuffle before you split, or split with stratify=y",
        )
    elif y.counts is not None and y.row_sums is None and (low < y.low or high > y.high):
        yield (
            f"the targets to train on go from {y.low:g} to {y.high:g}, those to validate on from "
            f"{low:g} to {high:g}",
            "encode both in the same way, and split with stratify=y",
        )


def _size(values):
    values = values[np.isfinite(values)].astype(np.float64)
    return max(abs(values.mean()), values.std()) if values.size else np.nan


def _width(shape):
    return shape[-1] if len(shape) > 1 else 1


def _unlike_the_last(labels, split):
    """Compare the classes of the rows that a split takes with those of the others."""
    classes, numbers = np.unique(labels, return_inverse=True)
    at = int(len(labels) * (1 - split))
    shares = [
        np.bincount(part, minlength=len(classes)) / max(1, len(part))
        for part in (numbers[:at], numbers[at:])
    ]
    apart = 0.5 * np.abs(shares[0] - shares[1]).sum()
    if len(labels) - at >= max(_ENOUGH, 5 * len(classes)) and apart > _APART:
        one = int(np.abs(shares[0] - shares[1]).argmax())
        yield (
            f"the rows are nearly sorted by class: of class {classes[one]:g} there are "
            f"{shares[0][one]:.0%} of the rows to train on and {shares[1][one]:.0%} of the last "
            f"ones, which validation_split={split:g} takes",
            "shuffle x and y together before fit(), or pass validation_data",
        )


@rule(RULES, "sorted-rows", "warning", "Rows that are sorted by class")
def sorted_rows(setup):
    """
    fit() shuffles the rows that it trains on. validation_split takes the last rows before that, and
    where they are sorted these are of one class, often of one that no row is left to train on. A
    tf.data.Dataset is not shuffled by fit(): with batches of one class after the other, the model
    learns to answer the last one, and forgets the others.
    """
    heads = [head for head in setup.heads if head.loss is not None and head.y is not None]
    if len(heads) != 1 or (setup.partial and not setup.data.in_order):
        return
    y, rows = heads[0].y, heads[0].rows
    if y.one_hot and rows.ndim == 2:
        labels = rows.argmax(axis=1)
    elif y.class_numbers and rows.ndim <= 2:
        labels = rows.ravel()
    else:
        return
    changes = int((labels[1:] != labels[:-1]).sum())
    number = len(np.unique(labels))
    if setup.partial:
        if not heads[0].loss.for_numbers:
            yield from _class_after_class(labels, changes, number, heads[0].units or 0)
        return
    split = setup.validation_split
    if len(labels) >= 50 and number >= 2 and split and changes != number - 1:
        yield from _unlike_the_last(labels, split)
        return
    if len(labels) < 50 or number < 2 or changes != number - 1:
        return
    if split:
        last = labels[int(len(labels) * (1 - split)) :]
        shown = ", ".join(f"{value:g}" for value in np.unique(last)[:4])
        yield (
            f"the rows are sorted by class, and validation_split={split:g} takes the last ones, of "
            f"{len(np.unique(last))} of {number} classes: {shown}",
            "shuffle x and y together before fit(), or pass validation_data",
        )
    elif setup.validation is None:
        yield (
            "the rows are sorted by class",
            "shuffle them before validation_split or any other split takes the last ones",
            "info",
        )


def _class_after_class(labels, changes, number, units):
    """Look for first batches that are of one class, or of one after the other."""
    ends = [(labels == labels[at]).sum() for at in (0, -1)]
    one_by_one = number > 1 and changes == number - 1 and min(ends) >= _RUN
    if one_by_one or (number == 1 and units > 2 and len(labels) >= _ONE_CLASS):
        what = f"class {labels[0]:g}" if number == 1 else f"{number} classes, one after the other"
        yield (
            f"the first {len(labels):,} rows of the data set are of {what}",
            "data.shuffle(len(y)) before batch()",
        )
