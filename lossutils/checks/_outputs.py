"""Rules on the output layer and the loss: what the model alone tells, without any data."""

import difflib

import keras
import numpy as np
from keras import layers

from lossutils import _internals
from lossutils.checks import _trials
from lossutils.checks._findings import rule
from lossutils.checks._targets import fractions_of_0_to_1
from lossutils.losses._names import closest_loss

RULES = {}

_HINGES = ("hinge", "squared_hinge")
_OF_POSITIVE_MEANS = ("poisson", "gamma_deviance", "tweedie_deviance")
_MEANS = tuple(getattr(layers, f"GlobalAveragePooling{n}D") for n in (1, 2, 3))

# Words that people write for a metric, and its class.
_METRICS = {
    "f1_score": "F1Score",
    "f1": "F1Score",
    "precision": "Precision",
    "precision_score": "Precision",
    "recall": "Recall",
    "auc": "AUC",
    "roc_auc": "AUC",
    "r2": "R2Score",
    "rmse": "RootMeanSquaredError",
    "root_mean_squared_error": "RootMeanSquaredError",
    "iou": "BinaryIoU",
    "mean_iou": "MeanIoU",
}


def ending(head):
    """Call the last activation of an output by its name."""
    return f"{head.name} ends in {head.activation.name!r}"


def _unit_list(units):
    return f"{units} unit" + ("" if units == 1 else "s")


def _single_softmax(head):
    outermost = head.output.activations or ()
    return head.units == 1 and any(activation.distribution for activation in outermost)


@rule(RULES, "softmax-one-unit", "error", "A softmax over a single unit")
def softmax_one_unit(head):
    """
    A softmax divides each number of a row by the sum of the row. With one number in the row that
    is 1, whatever the input: every prediction is 1.0, and the accuracy stays at the share of ones.
    With TensorFlow the loss may fall all the same, since Keras computes cross-entropy from the
    numbers before the softmax where output and loss have one dtype, so a falling loss proves
    nothing here. Weights of the steps of a sequence, of shape (steps, 1), are all 1.0 as well where
    the softmax goes over the last axis and not over the steps. A normalization of each row by
    itself, too, leaves nothing of a row of one number.
    """
    if head is head.setup.heads[0]:
        yield from _softmax_within(head.setup)
    if _single_softmax(head):
        yield (
            f"{head.name} is a softmax over 1 unit, so that every prediction is 1.0",
            "for two classes: Dense(1, activation='sigmoid') with 'binary_crossentropy'; for K "
            "classes: Dense(K, activation='softmax'); for a number: Dense(1)",
        )


def _softmax_within(setup):
    """Look for a softmax over a single number in the midst of a network."""
    last = {id(layer) for layer in setup.layers[-1:]}
    last |= {id(_maker(tensor)) for tensor in getattr(setup.model, "outputs", None) or []}
    for layer in setup.layers:
        if isinstance(layer, (layers.LayerNormalization, layers.UnitNormalization)):
            yield from _norm_of_one(layer)
        of_softmax = getattr(layer, "activation", None) is keras.activations.softmax
        if id(layer) in last or not (of_softmax or isinstance(layer, layers.Softmax)):
            continue
        try:
            shape = layer.output.shape
        except (AttributeError, ValueError):  # not built, or called several times
            continue
        axis = getattr(layer, "axis", -1)
        if len(shape) > 1 and isinstance(axis, int) and shape[axis] == 1:
            yield (
                f"{layer.name!r} is a softmax over 1 number, so that all it gives is 1.0",
                "for weights of steps: Dense(1) without an activation, then Softmax(axis=1)",
            )


def _norm_of_one(layer):
    """Look for a row of one number that is divided by its own size."""
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else (layer.axis,)
    try:
        sizes = [layer.output.shape[axis] for axis in axes]
    except (AttributeError, ValueError, IndexError):  # not built, or called several times
        return
    if all(size == 1 for size in sizes):
        gives = "1 or -1" if isinstance(layer, layers.UnitNormalization) else "the same for each"
        yield (
            f"{layer.name!r} normalizes rows of 1 number, so that all it gives is {gives}",
            "leave it out, or normalize before the layer with one unit",
        )


def _maker(tensor):
    history = _internals.keras_history(tensor)
    return None if history is None else history.operation


@rule(RULES, "double-activation", "error", "Two output activations in a row")
def double_activation(head):
    """
    A sigmoid or softmax expects any number, a logit. After another activation it gets numbers from
    a part of the line only: a sigmoid after relu never falls below one half, and a softmax of
    probabilities can hardly prefer one class. A loss with from_logits=True squashes as well.
    """
    yield from _squashed_by_the_loss(head)
    activations = head.output.activations or ()
    if len(activations) < 2 or _single_softmax(head):
        return
    outer, inner = activations[:2]
    squashes = outer.distribution or outer.name in ("sigmoid", "hard_sigmoid")
    if squashes and (inner.low >= 0 or inner.high <= 0 or max(-inner.low, inner.high) <= 1):
        yield (
            f"{head.name} applies {outer.name!r} to what {inner.name!r} gives",
            f"leave the layer before {outer.name!r} without an activation",
        )


def _squashed_by_the_loss(head):
    loss, activation = head.loss, head.activation
    if loss is None or activation is None or _takes_no_logits(loss) or activation.probabilities:
        return  # probabilities-as-logits
    if _ends_in_means(head.setup.layers):
        return  # a mean of positive numbers is as good a logit as any
    if activation.low >= 0 or max(-activation.low, activation.high) <= 1:
        yield (
            f"{ending(head)}, and {loss.name} applies a sigmoid or softmax to it",
            "end in a linear layer, Dense(K) without an activation",
        )


def _ends_in_means(layers_in_order):
    """Tell whether means are taken behind the last layer with weights."""
    for layer in reversed(layers_in_order):
        if isinstance(layer, _MEANS):
            return True
        if layer.weights:
            return False
    return False


def _takes_no_logits(loss):
    return not loss.from_logits and loss.predictions != "cumulative logits"


@rule(RULES, "dropout-on-output", "error", "Dropout after the output")
def dropout_on_output(head):
    """
    Dropout sets a part of the numbers that it gets to zero, in training only. On the predictions
    themselves that makes probabilities 0 and more than 1, and the loss is mostly that noise.
    """
    if head.output.dropout and head.loss is not None and head.loss.entry is not None:
        yield (
            f"a dropout follows the output activation {head.activation.name!r}",
            "put the dropout before the output layer",
        )


@rule(RULES, "logits-as-probabilities", "error", "Numbers taken for probabilities")
def logits_as_probabilities(head):
    """
    Without from_logits=True a cross-entropy expects probabilities. Other numbers are cut off below
    1e-7 and above 1, where the gradient is zero, so that training stands still or goes astray. An
    overlap, such as Dice, expects them as well: numbers below 0 make it better than perfect.
    """
    loss, activation = head.loss, head.activation
    if loss and activation and loss.predictions in ("probability", "distribution"):
        if not activation.probabilities and not _single_softmax(head):
            single = loss.predictions == "probability"
            right = "sigmoid" if single else "softmax"
            remedy = f"end in activation={right!r}"
            if loss.entry.takes_logits:
                remedy += ", or end in a linear layer and give the loss from_logits=True"
            yield (
                f"{ending(head)}, whose values are no probabilities, and {loss.name} takes them "
                "for such",
                remedy,
            )
    if loss and activation and loss.entry is None and -activation.low == activation.high == np.inf:
        if _trials.takes_probabilities(head):
            name = getattr(loss.given, "__name__", type(loss.given).__name__)
            yield (
                f"{ending(head)}, whose values are no probabilities, and {name} takes them for "
                "such",
                "end in activation='sigmoid', or apply a sigmoid within the loss",
            )


@rule(RULES, "probabilities-as-logits", "error", "Probabilities taken for logits")
def probabilities_as_logits(head):
    """
    With from_logits=True the loss applies the sigmoid or softmax itself. After such a layer it is
    applied twice. With TensorFlow, Keras warns and trains plain cross-entropy from the hidden
    logits, if nothing stands between activation and loss, not even a cast: in mixed precision, or
    float64 with the default loss, it neither warns nor repairs. The loss of stored predictions is
    wrong in any case, and with other losses or backends so is the training. The loss for ordered
    classes takes a logit for each threshold between them, and has no other form.
    """
    loss, activation = head.loss, head.activation
    if not loss or not activation or not activation.probabilities or _takes_no_logits(loss):
        return
    how = " with from_logits=True" if loss.from_logits else ""
    yield (
        f"{ending(head)}, and {loss.name}{how} expects the numbers before it",
        ("remove from_logits=True, or the" if how else "remove the")
        + " activation of the last layer",
    )


@rule(RULES, "sigmoid-categorical", "error", "A sigmoid with a loss for exclusive classes")
def sigmoid_categorical(head):
    """
    Categorical losses take one probability distribution over the classes for each sample. The
    values of a sigmoid are each for themselves and do not add up to 1. With TensorFlow in float32
    the training is that of a softmax, but predict() is not. A softmax over another axis than the
    last, such as the steps of a sequence, shares out its 1 among these.
    """
    loss, activation = head.loss, head.activation
    if loss and activation and loss.predictions == "distribution" and (head.units or 0) > 1:
        if activation.probabilities and not activation.distribution:
            other_axis = activation.name.startswith("softmax over")
            if other_axis and loss.parameters.get("axis", -1) != -1:
                return
            yield (
                f"{ending(head)} with {_unit_list(head.units)}, and {loss.name} takes a row of "
                "probabilities that add up to 1",
                "a softmax over the last axis: layers.Softmax(axis=-1)"
                if other_axis
                else "for exclusive classes: activation='softmax'; for several labels at once: "
                "'binary_crossentropy'",
            )


@rule(RULES, "one-unit-categorical", "error", "A loss for several classes on one unit")
def one_unit_categorical(head):
    """
    A categorical loss compares the units of the output layer with each other. With one unit there
    is nothing to compare: the probability of the only class is 1, and the loss is 0 from the start.
    """
    loss = head.loss
    if not loss or head.units != 1 or _single_softmax(head):
        return
    categorical = loss.predictions == "distribution" or loss.name in (
        *("categorical_crossentropy", "sparse_categorical_crossentropy"),
        *("categorical_focal_crossentropy", "categorical_hinge", "multiclass_hinge"),
    )
    if categorical or loss.name == "cosine_similarity":
        what = "the direction of a row" if loss.name == "cosine_similarity" else "several classes"
        fix = (
            "use 'mean_squared_error', or predict vectors"
            if loss.name == "cosine_similarity"
            else "for two classes: Dense(1, activation='sigmoid') with 'binary_crossentropy'; for "
            "K classes: Dense(K, activation='softmax')"
        )
        yield f"{head.name} has 1 unit, and {loss.name} is about {what}", fix


@rule(RULES, "softmax-binary-loss", "warning", "A softmax with a binary loss")
def softmax_binary_loss(head):
    """
    Binary cross-entropy asks of each unit by itself whether its label holds. After a softmax the
    units are not independent. The model learns, but from a loss that also rewards each wrong class
    for being small, and binary_accuracy counts these as right answers, K - 1 of them a sample.
    """
    loss, activation = head.loss, head.activation
    if loss and loss.name in ("binary_crossentropy", "binary_focal_crossentropy"):
        several = head.y is not None and head.y.several_labels
        if any(
            metric.name == "categorical_accuracy" and not metric.word for metric in head.metrics
        ):
            return  # who asks for it knows what binary_accuracy would say
        if activation and activation.distribution and (head.units or 0) > 2 and not several:
            yield (
                f"{ending(head)} with {_unit_list(head.units)}, and the loss is {loss.name}",
                "for numbers from 0 to 1, such as pixels: activation='sigmoid'"
                if head.y is not None and fractions_of_0_to_1(head.y)
                else "for exclusive classes: 'categorical_crossentropy'; for several labels at "
                "once: activation='sigmoid'",
            )


@rule(RULES, "hinge-output", "error", "A hinge loss on an output that is never negative")
def hinge_output(head):
    """
    A hinge loss wants a score above 1 for one class and below -1 for the other; the sign decides.
    A sigmoid, softmax or relu is never negative, so the second class cannot be predicted.
    """
    loss, activation = head.loss, head.activation
    if loss and loss.name in _HINGES and activation and activation.low >= 0:
        yield (
            f"{ending(head)}, which is never negative, and {loss.name} decides by the sign",
            "end in Dense(1), or activation='tanh'; for probabilities: a sigmoid with "
            "'binary_crossentropy'",
        )


@rule(RULES, "poisson-output", "error", "A loss of positive means on an output below 0")
def poisson_output(head):
    """
    The Poisson loss takes the logarithm of the predicted rate, and the gamma and Tweedie deviance
    divide by the predicted mean. Below zero that is NaN, and nothing stops the predictions from
    falling further. A relu gives exact zeros, and the last two divide by them.
    """
    loss, activation = head.loss, head.activation
    if not loss or not activation or loss.name not in _OF_POSITIVE_MEANS:
        return
    may_be = "negative" if activation.low < 0 else "0" if activation.name == "relu" else None
    if may_be == "negative" or (may_be and loss.name != "poisson"):
        yield (
            f"{ending(head)}, which may be {may_be}, and {loss.name} takes means above 0",
            "end in activation='exponential' or 'softplus'",
        )


@rule(RULES, "unknown-loss", "error", "A loss or metric that Keras does not know")
def unknown_loss(setup):
    """
    compile() takes any word for a loss or metric and looks it up at the first batch only. Several
    names of older Keras versions are gone.
    """
    renamed = {
        "kullback_leibler_divergence": "kl_divergence",
        "huber_loss": "huber",
        "logcosh": "log_cosh",
        "cosine_proximity": "cosine_similarity",
        "cosine": "cosine_similarity",
        "binary_cross_entropy": "binary_crossentropy",
        "categorical_cross_entropy": "categorical_crossentropy",
        "sparse_categorical_cross_entropy": "sparse_categorical_crossentropy",
        "rmse": "mean_squared_error",
        "ctc_loss": "ctc",
    }
    for given in keras.tree.flatten(getattr(setup.model, "loss", None)):
        if not isinstance(given, str) or given.lower() in ("crossentropy", "ce"):
            continue
        try:
            keras.losses.get(given)
        except ValueError:
            name = renamed.get(given.lower()) or closest_loss(given)
            yield (
                f"Keras has no loss {given!r}; fit() will fail at the first batch",
                f"did you mean {name!r}?" if name else "see keras.losses for the names",
            )
    compiled = getattr(setup.model, "compiled", False)
    for given in keras.tree.flatten(_internals.metrics_of(setup.model) if compiled else []):
        if not isinstance(given, str) or given.lower() in (
            *("accuracy", "acc"),
            "crossentropy",
            "ce",
        ):
            continue
        try:
            keras.metrics.get(given)
        except Exception:  # a ValueError, or the arguments that a class of this name needs
            near = difflib.get_close_matches(
                given, [*_METRICS, *_METRICS.values()], n=1, cutoff=0.5
            )
            instead = _METRICS.get(near[0], near[0]) if near else None
            yield (
                f"Keras has no metric {given!r}; fit() will fail at the first batch",
                f"did you mean keras.metrics.{instead}()?"
                if instead
                else "see keras.metrics for the names, or pass a function of y_true and y_pred",
            )
