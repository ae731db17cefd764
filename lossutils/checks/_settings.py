"""Rules on the parameters of a loss, and on the precision that it is computed in."""

import keras
import numpy as np

from lossutils import _internals
from lossutils.checks import _trials
from lossutils.checks._findings import rule
from lossutils.checks._outputs import ending

RULES = {}


@rule(RULES, "focal-alpha-ignored", "warning", "An alpha without effect")
def focal_alpha_ignored(head):
    """
    BinaryFocalCrossentropy uses alpha only with apply_class_balancing=True. Without it, any alpha
    gives the same training.
    """
    loss = head.loss
    if loss and loss.name == "binary_focal_crossentropy":
        given = loss.parameters
        if not given["apply_class_balancing"] and given["alpha"] != loss.entry.parameters["alpha"]:
            yield (
                f"alpha={given['alpha']:g} has no effect while apply_class_balancing is False",
                "pass apply_class_balancing=True as well, or drop alpha",
            )


@rule(RULES, "tversky-exchanged", "warning", "Tversky's alpha and beta exchanged by Keras")
def tversky_exchanged(head):
    """
    Keras documents alpha as the weight of false positives and beta as that of false negatives.
    Some versions, 3.15.1 among them, compute it the other way round, so a larger alpha raises the
    recall and not the precision. The installed version is asked.
    """
    loss = head.loss
    if loss and loss.name == "tversky" and loss.parameters["alpha"] != loss.parameters["beta"]:
        false_positives = keras.losses.Tversky(alpha=1.0, beta=0.0)
        y, p = np.array([[0.0, 1.0]], "float32"), np.array([[1.0, 1.0]], "float32")
        if abs(float(false_positives(y, p)) - 0.5) > 0.01:
            alpha, beta = loss.parameters["alpha"], loss.parameters["beta"]
            yield (
                f"the installed Keras weighs false negatives with alpha={alpha:g} and false "
                f"positives with beta={beta:g}, against its documentation",
                f"until that is repaired, write alpha={beta:g}, beta={alpha:g}",
            )


@rule(RULES, "label-smoothing-floor", "info", "A loss that cannot reach zero")
def label_smoothing_floor(head):
    """
    Label smoothing moves the targets away from 0 and 1, and the loss of the best answer away from
    zero; an answer that is surer than the smoothed target costs more again. Keras smooths in
    evaluate() as well, so losses with different smoothing are not comparable.
    """
    loss = head.loss
    smoothing = loss.parameters.get("label_smoothing", 0) if loss else 0
    if smoothing and loss.name in ("binary_crossentropy", "categorical_crossentropy"):
        classes = 2 if loss.name == "binary_crossentropy" else head.units
        if classes and classes > 1:
            rest = smoothing / classes
            top = 1 - smoothing + rest
            floor = -top * np.log(top) - (classes - 1) * rest * np.log(rest)
            yield (
                f"with label_smoothing={smoothing:g} and {classes} classes the loss cannot fall "
                f"below {floor:.3f}",
                "compare models by a metric without smoothing",
            )


@rule(RULES, "half-precision-output", "warning", "Probabilities in half precision")
def half_precision_output(head):
    """
    Keras computes cross-entropy from the logits behind a sigmoid or softmax, if the output has the
    dtype of the loss. In mixed precision the output is cast, so the loss sees rounded
    probabilities: in float16 all above 0.9998 are 1, and a sample that is wrong there has no
    gradient.
    """
    loss, activation, dtype = head.loss, head.activation, head.output.dtype
    if not loss or not activation or activation.name not in ("sigmoid", "softmax"):
        return
    if dtype not in ("float16", "bfloat16"):
        return
    if loss.entry is None:
        if _trials.has_a_logarithm(head):
            yield (
                f"{ending(head)} in {dtype}, and a loss of your own takes the logarithm",
                "give the last layer dtype='float32'",
            )
    elif loss.entry.takes_logits and not loss.from_logits:
        yield (
            f"{ending(head)} in {dtype}, and {loss.name} is computed in float32",
            "give the last layer dtype='float32', or end in a linear layer and give the loss "
            "from_logits=True",
        )


@rule(RULES, "overlap-axis", "error", "An overlap of single pixels")
def overlap_axis(head):
    """
    Dice and Tversky compare areas. axis says over what the areas reach: with -1 on an output of one
    channel each pixel is an area of its own, and for a pixel of the background the loss is 1,
    whatever the prediction. The model learns to call everything foreground.
    """
    loss, shape = head.loss, head.output.shape
    if not loss or loss.name not in ("dice", "tversky") or head.units != 1 or len(shape) < 3:
        return
    axis = loss.parameters.get("axis")
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    if axes and all(one in (-1, len(shape) - 1) for one in axes):
        over = tuple(range(1, len(shape)))
        yield (
            f"{loss.name} with axis={axis} on an output of shape (n, "
            f"{', '.join('…' if size is None else str(size) for size in shape[1:])}) compares each "
            "pixel by itself",
            f"axis={over} for each picture by itself, or axis=None for the batch",
        )


@rule(RULES, "parameters-not-saved", "info", "Parameters that saving loses")
def parameters_not_saved(head):
    """
    A saved model holds the configuration of its loss. Some versions of Keras leave parameters out,
    such as the delta of Huber, and the loaded model goes on with the default. The installed version
    is asked.
    """
    loss = head.loss
    if loss is None or loss.entry is None or not isinstance(loss.given, keras.losses.Loss):
        return
    if type(loss.given).__module__.partition(".")[0] not in ("keras", "lossutils"):
        return  # a class of the user's own around a loss of Keras
    config = loss.given.get_config()
    again = type(loss.given).from_config(config)
    loaded = _internals.loss_arguments_of(again)
    for name, had in _internals.loss_arguments_of(loss.given).items():
        has = loaded.get(name)
        if had != has and np.ndim(had) == np.ndim(has) == 0:
            yield (
                f"{type(loss.given).__name__} has {name}={had}, and would be loaded with {has}",
                "compile the loaded model again, with the loss as it is here",
            )
