"""Rules on losses of the user's own, which are tried on the user's targets."""

import inspect

import keras
import numpy as np

from lossutils.checks import _gradients, _pairs, _paths, _steps
from lossutils.checks._findings import rule
from lossutils.checks._trials import sure_answers, tried_on

RULES = {}

# Rows of which all pairs are tried.
_PAIRED = 3


@rule(RULES, "broadcasting-loss", "error", "A loss that pairs every target with every prediction")
def broadcasting_loss(head):
    """
    Keras makes targets of shape (n,) fit predictions of shape (n, 1) for its own losses and for
    functions, not for subclasses of Loss. There y_true - y_pred becomes an n by n table of all
    pairs, and the best answer to that is the mean of the targets for every input. A function makes
    the same table where it takes a column of one of both, y_true - y_pred[:, 0].
    """
    found = list(_of_targets_without_a_column(head))
    if not found and not head.setup.custom_training and _averages_over_pairs(head):
        loss = head.loss.given
        found.append(
            (
                f"{getattr(loss, '__name__', type(loss).__name__)} is the mean over all n × n "
                "pairs of a target and a prediction",
                "give both the same shape within the loss: y_true[:, 0] - y_pred[:, 0]",
            )
        )
    yield from found


def _of_targets_without_a_column(head):
    """Look for a loss, or a training step, that pairs targets of shape (n,) with a column."""
    loss, y = head.loss, head.rows
    if y is None or y.ndim != 1 or head.output.shape is None or len(head.output.shape) != 2:
        return
    if head.setup.custom_training:
        yield from _in_a_loop(head)
        return
    if loss is None or not isinstance(loss.given, keras.losses.Loss) or _of_a_package(loss.given):
        return
    if type(loss.given).__name__ == "LossFunctionWrapper" or y.dtype.kind not in "biuf":
        return
    if _pairs_all(loss.given, head.units):
        yield (
            f"the targets have shape (n,), {head.name} has shape (n, {head.units}), and "
            f"{type(loss.given).__name__} computes a value for each of the n × n pairs",
            "pass y.reshape(-1, 1)",
        )


def _of_a_package(loss):
    return type(loss).__module__.partition(".")[0] in ("keras", "lossutils")


def _averages_over_pairs(head):
    """Tell whether a loss of a batch is the mean of the losses of all pairs, not of its rows."""
    tried = tried_on(head)
    if tried is None or tried[0].ndim > 2 or not head.units or len(head.output.shape) != 2:
        return False
    y, p = tried[0], tried[1][0]
    different = np.unique(y.reshape(len(y), -1), axis=0, return_index=True)[1]
    rows = np.sort(different)[:_PAIRED]
    if len(rows) < 2:
        return False
    y, p = y[rows], p[rows]

    def value(i, j):
        return _gradients.value(head.loss.given, y[i], p[j])

    of_batch = value(slice(None), slice(None))
    if of_batch is None or not np.isfinite(of_batch):
        return False
    one = [slice(i, i + 1) for i in range(len(y))]
    table = np.array([[value(i, j) for j in one] for i in one], dtype=float)
    if not np.isfinite(table).all():
        return False
    near = 1e-4 * max(1e-3, np.abs(table).max())
    return abs(table.mean() - of_batch) < near < 0.1 * abs(np.diag(table).mean() - of_batch)


def _in_a_loop(head):
    """Look for the table of all pairs in a training step of the user's own."""
    setup = head.setup
    if head.units != 1 or len(setup.heads) != 1 or len(setup.data.inputs) != 1:
        return
    if _steps.pairs_all(setup.model, setup.data.inputs[0][1], head.rows):
        yield (
            f"the targets have shape (n,), {head.name} has shape (n, 1), and the training step of "
            f"{type(setup.model).__name__} subtracts each from each",
            "pass y.reshape(-1, 1)",
        )


def _pairs_all(loss, units):
    """Tell whether a loss treats targets of shape (n,) as equal partners of all predictions."""
    y = np.array([0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0])
    p = np.linspace(0.1, 0.8, 7)[:, None] * np.ones((1, units))
    tensors = [keras.ops.convert_to_tensor(a.astype("float32")) for a in (y, y[::-1].copy(), p)]
    try:
        values, reversed_, one = (
            keras.ops.convert_to_numpy(loss.call(tensors[i], tensors[2])) for i in (0, 1, 0)
        )
        columns = keras.ops.convert_to_numpy(
            loss.call(keras.ops.expand_dims(tensors[0], -1), tensors[2])
        )
    except Exception:  # a loss that wants other targets than these
        return False
    if values.shape == (7, 7):
        return True
    if values.shape == (7,) and columns.shape == (7,):
        return not np.allclose(values, columns, rtol=1e-4, atol=1e-6)
    same = np.allclose(values, reversed_, rtol=1e-5) and np.allclose(values, one)
    return values.shape == columns.shape == () and same and not np.allclose(values, columns)


@rule(RULES, "swapped-arguments", "error", "A loss of your own with its arguments swapped")
def swapped_arguments(head):
    """
    Keras calls a loss as loss(y_true, y_pred), by position. A function that names its first
    argument y_pred gets the targets there, and a loss that is not symmetric is then another loss.
    So is one that passes them on to a loss of Keras the other way round.
    """
    loss = head.loss
    if loss is not None and loss.parameters.get("swapped"):
        inner = loss.parameters["swapped"]
        yield (
            f"{getattr(loss.given, '__name__', type(loss.given).__name__)} passes the predictions "
            f"to {inner} as targets",
            f"{inner}(y_true, y_pred)",
        )
        return
    if loss is None or loss.entry is not None:
        return
    function = getattr(loss.given, "fn", loss.given)
    if isinstance(function, keras.losses.Loss):
        function = function.call
    try:
        first, second = list(inspect.signature(function).parameters)[:2]
    except (TypeError, ValueError):
        return
    predicted = ("pred", "y_hat", "yhat", "output", "logit")
    true = ("true", "target", "label", "actual")
    if not any(word in first.lower() for word in predicted):
        return
    if not any(word in second.lower() for word in true):
        return
    a = keras.ops.convert_to_tensor(np.linspace(0.1, 0.8, 6, dtype="float32").reshape(3, 2))
    b = keras.ops.convert_to_tensor(np.eye(3, 2, dtype="float32"))
    try:
        there, back = (keras.ops.convert_to_numpy(function(*pair)) for pair in ((a, b), (b, a)))
        if np.allclose(there, back, equal_nan=True):
            return
    except Exception:  # it wants other shapes, so it cannot be judged
        return
    yield (
        f"{getattr(function, '__name__', 'the loss')} takes ({first}, {second}), and Keras passes "
        "the targets first",
        f"exchange them: def loss({second}, {first})",
    )


@rule(RULES, "wrong-sign-loss", "error", "A loss of your own that rewards mistakes")
def wrong_sign_loss(head):
    """
    Training makes the loss small. A score that is large for good predictions, such as an overlap or
    an accuracy, has to be turned round first, or the model learns to be wrong. So has a likelihood,
    and a similarity of directions. A difference without a square has no smallest value at all. In
    some texts on contrastive losses 1 is a pair that belongs together, in others 0.
    """
    loss, y, activation = head.loss, head.y, head.activation
    if loss is None or loss.entry is not None or y is None or y.low == y.high:
        return
    parted = _pairs.parted_though_alike(head)
    if parted is not None:
        yield (
            f"pairs of the label {parted} are far more alike than those of {1 - parted}, and the "
            "loss drives them apart: labels and loss mean the opposite",
            "pass 1 - y, or exchange y and 1 - y in the loss",
        )
        return
    if activation is not None and not np.isfinite([activation.low, activation.high]).any():
        found = list(_falls_without_end(head)) or list(_takes_no_notice(head))
        yield from found or _largest_where_right(head)
    if not head.aligned:
        return
    if activation is None or not activation.probabilities or y.low == y.high:
        return
    if not y.zero_one:
        yield from _smaller_elsewhere(head)
        return
    values = _from_wrong_to_right(loss.given, head.rows, head.output.shape)
    if values is not None and all(np.diff(values) > 1e-4):
        yield (
            f"the loss is {values[0]:.2f} for answers that are mostly wrong and {values[-1]:.2f} "
            "for answers that are mostly right",
            "return 1 - score, or -score",
        )


def _falls_without_end(head):
    """Move predictions away from their targets, on both sides, and look whether the loss falls."""
    tried, units = tried_on(head), head.units or 0
    width = head.rows.shape[1] if head.rows is not None and head.rows.ndim == 2 else 1
    if tried is None or tried[0].ndim > 2 or len(tried[1][0].shape) != 2:
        return
    if units not in (width, 2 * width):  # numbers, or numbers with a spread each
        return
    y = tried[0]
    right = np.zeros_like(tried[1][0])
    right[:, :width] = y.reshape(len(y), width)
    moved = np.zeros_like(right)
    moved[:, :width] = max(1e-3, float(y.std()))
    sides = []
    for sign in (-1, 1):
        at = [_gradients.value(head.loss.given, y, right + sign * k * moved) for k in (0, 4, 8, 16)]
        if None in at or not np.isfinite(at).all():
            return
        sides.append(at)
    # A loss that ends somewhere falls ever less.
    if all(a > b > c > d and c - d > 1.5 * (b - c) for a, b, c, d in sides):
        yield (
            f"the loss is {sides[0][0]:.3g} where each prediction equals its target, and falls "
            f"without end as they move apart: {sides[0][1]:.3g}, {sides[0][3]:.3g}",
            "turn its sign round: the mean of the squares, minus the log-likelihood",
        )


def _takes_no_notice(head):
    """Look for a loss that pulls all predictions the same way, below their targets and above."""
    tried, width = tried_on(head), head.units
    if tried is None or tried[0].ndim != 2 or tried[0].shape != tried[1][0].shape:
        return
    y, size = tried[0], float(tried[0].std())
    if head.y.whole or not width:
        return
    both = [
        _gradients.value_and_gradient(head.loss.given, y, (y + sign * 3 * size).astype("float32"))
        for sign in (-1, 1)
    ]
    if any(value is None or gradient is None for value, gradient in both):
        return
    slopes = np.concatenate([gradient.ravel() for _, gradient in both])
    if not np.isfinite(slopes).all() or both[0][0] == both[1][0]:
        return
    low, high = np.abs(slopes).min(), np.abs(slopes).max()
    if len({*np.sign(slopes)}) == 1 and low > 0.9 * high and _depends_on_targets(head, y):
        up = "rise" if slopes[0] < 0 else "fall"
        yield (
            f"the loss gets ever smaller as all predictions {up}, above their targets and below",
            "square the differences, or take their absolute value; a quantile lies between 0 and 1",
        )


def _depends_on_targets(head, y):
    values = [_gradients.value(head.loss.given, t, y) for t in (y, y + 1)]
    return None not in values and values[0] != values[1]


def _largest_where_right(head):
    """Look for a similarity: largest where predictions equal targets that are numbers."""
    tried, y = tried_on(head), head.y
    if tried is None or y.whole or tried[0].ndim != 2 or tried[0].shape != tried[1][0].shape:
        return
    y, noise = tried[0], tried[1][0]
    noise = noise * y.std() / noise.std()

    def at(p):
        value = _gradients.value(head.loss.given, y, p.astype("float32"))
        return np.nan if value is None else value

    right, twice = at(y), at(2 * y)
    worst = []
    for other in (np.roll(y, len(y) // 2, axis=0), -y, noise):
        values = [at(other), at((y + other) / 2), right]
        if not np.diff(values).min() > 1e-2 * (1 + abs(right)):  # nor where one is NaN
            return
        worst.append(values[0])
    if twice <= right + 1e-4 * (1 + abs(right)):  # else a sum of products, such as of costs
        yield (
            f"the loss is {right:.3g} where each prediction equals its target, and "
            f"{np.mean(worst):.3g} where they are something else",
            "turn its sign round: return -similarity, or 1 - similarity",
        )


def _from_wrong_to_right(loss, rows, shape):
    """Return the loss of predictions on a line from the wrong answers to the right ones."""
    function = loss.call if isinstance(loss, keras.losses.Loss) else loss
    y = np.concatenate([rows[rows.reshape(len(rows), -1).any(axis=1)][:4], rows[:4]])
    y = y.astype("float32").reshape(len(y), *(shape[1:] if None not in shape[1:] else y.shape[1:]))
    try:
        return [
            float(
                np.mean(
                    keras.ops.convert_to_numpy(
                        function(
                            keras.ops.convert_to_tensor(y),
                            keras.ops.convert_to_tensor((0.5 + (y - 0.5) * k).astype("float32")),
                        )
                    )
                )
            )
            for k in (-0.8, -0.4, 0.0, 0.4, 0.8)
        ]
    except Exception:  # a loss that wants something else cannot be judged
        return None


def _smaller_elsewhere(head):
    """Compare the loss of a perfect prediction with that of one which is rounded to 0 and 1."""
    y, tried = head.y, tried_on(head)
    if tried is None or y.low < 0 or y.high > 1 or head.activation.distribution:
        return
    targets = tried[0].reshape(tried[1][0].shape)
    perfect, rounded = np.clip(targets, 0.01, 0.99), np.where(targets > 0.5, 0.99, 0.01)
    at = [
        _gradients.value_and_gradient(head.loss.given, targets, p.astype("float32"))[0]
        for p in (perfect, rounded)
    ]
    if None not in at and at[1] < at[0] - 1e-3 * (1 + abs(at[0])):
        yield (
            f"the loss is {at[0]:.3g} where each prediction equals its target, and {at[1]:.3g} "
            "where predictions are rounded to 0 and 1",
            "look for targets and predictions that are exchanged within it: "
            "binary_crossentropy(y_true, y_pred)",
        )


@rule(RULES, "own-loss-not-finite", "error", "A loss of your own that is not a number")
def own_loss_not_finite(head):
    """
    A logarithm of 0, a root of a negative number or a division by the labels that a row lacks is
    NaN, and one NaN makes all weights NaN. A sigmoid in float32 is exactly 1 from a logit of 17 on,
    so log(1 - p) fails after some epochs, when the model is sure of itself.
    """
    tried = tried_on(head)
    if tried is None:
        return
    y, predictions = tried
    for p in predictions:
        value, gradient = _gradients.value_and_gradient(head.loss.given, y, p)
        if value is None:
            return
        if np.isfinite(value) and (gradient is None or np.isfinite(gradient).all()):
            continue
        what = f"is {value:g}" if not np.isfinite(value) else "has a gradient that is not finite"
        yield (
            f"the loss {what} for your targets and predictions from {p.min():.2g} to {p.max():.2g}",
            "keep logarithms, roots and divisors away from 0: keras.ops.clip(p, 1e-7, 1 - 1e-7), "
            "or add keras.config.epsilon()",
        )
        return
    activation = head.activation
    if activation.probabilities and activation.name in ("sigmoid", "softmax"):
        sure = sure_answers(predictions[0], activation)
        value, _ = _gradients.value_and_gradient(head.loss.given, y, sure)
        if value is not None and not np.isfinite(value):
            yield (
                f"the loss is {value:g} where a prediction is exactly 1, which {activation.name!r} "
                "reaches at a logit of 17",
                "p = keras.ops.clip(p, 1e-7, 1 - 1e-7) before a logarithm of p or 1 - p",
                "warning",
            )


@rule(RULES, "own-loss-no-gradient", "error", "A loss of your own without a gradient")
def own_loss_no_gradient(head):
    """
    Rounding, argmax, a comparison or a cast to whole numbers is flat nearly everywhere: a small
    change of the prediction changes nothing, so no weight knows where to go. Compute the loss from
    the predictions as they are, and round in the metric. Where such a part is added to a loss with
    a gradient, that one alone is trained.
    """
    tried = tried_on(head)
    if tried is None:
        return
    y, predictions = tried
    values, flat = [], True
    for p in predictions:
        value, gradient = _gradients.value_and_gradient(head.loss.given, y, p)
        if value is None or not np.isfinite(value):
            return
        values.append(value)
        flat = flat and (gradient is None or not gradient.any())
    # What does not even depend on the predictions leaves the learning to add_loss().
    if flat and max(values) - min(values) > 1e-6:
        yield (
            f"the loss changes with the predictions, from {min(values):.3g} to {max(values):.3g}, "
            "and its gradient is 0",
            "leave out round, argmax, comparisons and casts; these belong into a metric",
        )
    elif not flat and not head.setup.custom_training and (part := _paths.has_a_flat_term(head)):
        yield (
            f"the loss falls by {part[0]:.3g} from wrong answers to right ones, and its gradient "
            f"knows of {part[1]:.3g}: a part of it jumps, and is not trained",
            "compute that part from the predictions as they are, without round, argmax, "
            "comparisons and casts",
            "warning",
        )
