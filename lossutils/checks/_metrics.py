"""Rules on metrics: numbers that are printed every epoch and mean something else."""

import numpy as np

from lossutils.checks._findings import rule
from lossutils.checks._targets import numbers_for_softmax

RULES = {}

_ACCURACIES = (
    *("binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy", "accuracy"),
    "accuracy_of_classes",
)
_HINGES = ("hinge", "squared_hinge")

# Metrics that compare each output with a 0 or 1 of its own.
_OF_EACH_LABEL = (
    *("Precision", "Recall", "AUC", "F1Score", "FBetaScore", "TruePositives", "FalsePositives"),
    *("TrueNegatives", "FalseNegatives", "PrecisionAtRecall", "RecallAtPrecision"),
)

# Losses as metrics, which take probabilities unless they are told.
_CROSSENTROPIES = (
    *("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"),
    *("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"),
)

# The share of one class from which on the accuracy alone hides that nothing else is learned.
_RARE = 0.95


def _accuracy(head):
    return next((metric for metric in head.metrics if metric.name in _ACCURACIES), None)


@rule(RULES, "accuracy-on-regression", "warning", "Accuracy of numbers")
def accuracy_on_regression(head):
    """
    Accuracy compares classes. Of a single output it makes 1 where the number exceeds 0.5, else 0,
    and counts how often that equals the target: a perfect prediction of a 5 counts for nothing, and
    a 9 in place of a 1 is a hit.
    """
    accuracy, loss, y = _accuracy(head), head.loss, head.y
    if accuracy is None or loss is None or numbers_for_softmax(head):
        return  # the last is a shape-mismatch
    if y is None or np.isnan(y.low):
        wrong = loss.for_numbers and head.units == 1 and head.activation is not None
        wrong = wrong and head.activation.name == "linear"
    else:
        wrong = loss.for_numbers or loss.name == "poisson"
        wrong = wrong and not (y.zero_one or y.only(-1, 1))
        if head.units and head.units > 1:
            wrong = wrong and not y.one_hot
    if wrong:
        yield (
            f"{accuracy} is measured on targets that are numbers"
            if y is not None
            else f"{accuracy} is measured of a model that is trained with {loss.name}",
            "measure 'mean_absolute_error' or 'mean_squared_error', in the unit of the target",
            # Of pictures nobody reads it.
            "warning" if y is None or len(y.shape) < 3 else "info",
        )


@rule(RULES, "accuracy-minus-one", "warning", "Accuracy with labels -1 and 1")
def accuracy_minus_one(head):
    """
    Keras's binary accuracy turns predictions into 0 and 1 and compares them with the labels. A
    label -1 never matches, so the accuracy cannot exceed the share of ones.
    """
    accuracy, y = _accuracy(head), head.y
    if head.loss is None or head.loss.entry is None:
        return  # a critic of your own may mean them as signs
    if accuracy and accuracy.name in ("binary_accuracy", "accuracy") and y is not None:
        if y.only(-1, 1) and y.low == -1 and head.units == 1:
            yield (
                f"{accuracy} compares predictions of 0 and 1 with the labels -1 and 1",
                "use labels 0 and 1 (Keras converts them for hinge losses) and "
                "keras.metrics.BinaryAccuracy(threshold=0)",
            )


@rule(RULES, "accuracy-threshold", "warning", "Accuracy with a threshold in the wrong place")
def accuracy_threshold(head):
    """
    Binary accuracy says 1 where a prediction exceeds 0.5. For a probability that is the middle;
    for a logit or a score the middle is 0, so answers between 0 and 0.5 count for the wrong class.
    """
    accuracy, loss, y = _accuracy(head), head.loss, head.y
    if not accuracy or not loss or accuracy.name != "binary_accuracy":
        return
    if head.units != 1 or (y is not None and not y.zero_one):
        return
    scores = loss.name in _HINGES or loss.predictions == "logits"
    probabilities = head.activation is not None and head.activation.probabilities
    if scores and not probabilities and accuracy.parameters.get("threshold", 0.5) == 0.5:
        yield (
            f"{accuracy} compares with 0.5, and the predictions are scores around 0",
            "measure keras.metrics.BinaryAccuracy(threshold=0)",
            # A logit of 0.5 is a probability of 0.62: a little off, in many published programs.
            "info" if accuracy.word and loss.name not in _HINGES else "warning",
        )


@rule(RULES, "accuracy-several-labels", "warning", "Accuracy of several labels by the largest")
def accuracy_several_labels(head):
    """
    Where several labels may hold at once, 'accuracy' becomes categorical accuracy, which compares
    the position of the largest output with that of the first 1, and ignores all other labels.
    """
    accuracy, y = _accuracy(head), head.y
    if accuracy and accuracy.name == "categorical_accuracy" and y is not None:
        if y.several_labels and (head.units or 0) > 1:
            yield (
                f"{accuracy} looks at one label a sample, and rows have up to {y.row_sums[1]:.0f}",
                "measure keras.metrics.BinaryAccuracy() or "
                "keras.metrics.F1Score(average='macro', threshold=0.5)",
            )


@rule(RULES, "f1-threshold", "warning", "An F1 of the largest output")
def f1_threshold(head):
    """
    Without a threshold F1Score and FBetaScore call the largest output of a row 1 and all others 0.
    Where several labels hold, all but one are missed; of a single output the largest is always
    itself, so every sample is called 1.
    """
    y, units = head.y, head.units or 0
    for metric in head.metrics:
        if metric.name not in ("F1Score", "FBetaScore") or "threshold" not in metric.parameters:
            continue
        if metric.parameters["threshold"] is not None:
            continue
        if units == 1 or (y is not None and y.several_labels):
            seen = (
                "one output, whose largest is always itself"
                if units == 1
                else f"rows that have up to {y.row_sums[1]:.0f} labels"
            )
            yield (
                f"{metric.name} without a threshold takes the largest of {seen}",
                f"keras.metrics.{metric.name}(average='macro', threshold=0.5)",
            )


@rule(RULES, "metric-encoding", "warning", "A metric for another encoding of the labels")
def metric_encoding(head):
    """
    CategoricalAccuracy reads one-hot labels, SparseCategoricalAccuracy whole numbers, and
    BinaryAccuracy a 0 or 1 for each output. With another encoding they count something else,
    often a flattering number, without an error. Among the 5 largest of 5 outputs, the default of
    top-k accuracies, is always the right one. MeanIoU expects numbers of classes as predictions,
    and makes 0 of each probability below 1. Accuracy() counts the predictions that equal their
    label, and a probability hardly ever does.
    """
    y, units = head.y, head.units
    yield from _overlaps(head)
    yield from _equalities(head)
    if y is None or not units or not head.output.shape or np.isnan(y.low):
        return
    numbered = y.row_sums is None and y.whole and units > 1
    for metric in head.metrics:
        if metric.word:
            continue
        better = None
        if metric.name == "categorical_accuracy" and units == 1:
            better, seen = "BinaryAccuracy()", "an output of 1 unit, whose largest is always itself"
        elif metric.name == "categorical_accuracy" and numbered:
            better, seen = "SparseCategoricalAccuracy()", "labels that are numbers of classes"
        elif metric.name == "sparse_categorical_accuracy" and y.one_hot and head.aligned:
            better, seen = "CategoricalAccuracy()", "one-hot labels"
        elif metric.name == "sparse_categorical_accuracy" and units == 1:
            better, seen = "BinaryAccuracy()", "an output of 1 unit, whose largest is always itself"
        elif metric.name == "binary_accuracy" and y.one_hot and units > 2:
            distribution = head.activation is not None and head.activation.distribution
            if distribution:
                better, seen = "CategoricalAccuracy()", "each of the exclusive classes by itself"
        elif metric.name == "binary_accuracy" and numbered:
            better, seen = "SparseCategoricalAccuracy()", "labels that are numbers of classes"
        elif metric.name in _OF_EACH_LABEL and numbered and y.shape[1:] in ((), (1,)):
            better = "SparseCategoricalAccuracy()"
            seen = f"labels that are numbers of classes, beside {units} outputs"
        elif "top_k" in metric.name.lower().replace("topk", "top_k") and _k_of(metric) >= units:
            better = "SparseCategoricalAccuracy()" if numbered else "CategoricalAccuracy()"
            seen = f"the {_k_of(metric)} largest of {units} outputs, which are always right"
        elif metric.name in ("cosine_similarity", "CosineSimilarity") and units == 1:
            better, seen = "MeanAbsoluteError()", "rows of 1 number, whose direction is its sign"
        if better:
            yield f"{metric} is measured on {seen}", f"measure keras.metrics.{better}"


def _equalities(head):
    """Look for Accuracy(), which compares for equality, of outputs that are no labels."""
    loss, activation = head.loss, head.activation
    plain = any(metric.name == "accuracy" and not metric.word for metric in head.metrics)
    if not plain or loss is None or activation is None or head.output.flat:
        return
    if loss.predictions in ("probability", "logits") and loss.targets == "binary":
        better = f"BinaryAccuracy(threshold={0 if loss.from_logits else 0.5})"
    elif loss.targets == "sign":
        better = "BinaryAccuracy(threshold=0)"
    elif loss.targets in ("one-hot", "distribution") and (head.units or 0) > 1:
        better = "CategoricalAccuracy()"
    elif loss.targets == "integer" and loss.entry.predictions.encoding == "distribution":
        better = "SparseCategoricalAccuracy()"
    else:
        return  # accuracy-on-regression, or a loss that no accuracy of Keras fits
    yield (
        f"Accuracy() counts predictions that equal their targets, and {head.name} ends in "
        f"{activation.name!r}, whose numbers are hardly ever labels",
        f"measure keras.metrics.{better}, or the word 'accuracy'",
    )


def _k_of(metric):
    return int(metric.parameters.get("k", 5))


def _overlaps(head):
    """Look for MeanIoU and IoU of outputs that are no numbers of classes."""
    activation, units = head.activation, head.units
    if activation is None or not units or not (activation.probabilities or units > 1):
        return
    for metric in head.metrics:
        if metric.name not in ("MeanIoU", "IoU") or not metric.parameters.get("sparse_y_pred"):
            continue
        classes = metric.parameters.get("num_classes")
        better = (
            "BinaryIoU(target_class_ids=[0, 1], threshold=0.5)"
            if units == 1
            else f"{metric.name}(num_classes={classes}, sparse_y_pred=False"
            + (", target_class_ids=...)" if metric.name == "IoU" else ")")
        )
        yield (
            f"{metric} is measured on {activation.name!r}, whose values it takes for numbers of "
            "classes",
            f"measure keras.metrics.{better}",
        )


@rule(RULES, "probability-metric-on-scores", "warning", "A metric of probabilities on scores")
def probability_metric_on_scores(head):
    """
    AUC, Precision and Recall use thresholds between 0 and 1. Logits and hinge scores lie outside,
    so most of them fall on one side of every threshold. AUC(from_logits=True) applies a sigmoid,
    whose values for scores beyond about 5 lie above its last threshold below 1.
    """
    activation, loss = head.activation, head.loss
    if activation is None or activation.probabilities or loss is None:
        return
    if not (loss.predictions == "logits" or loss.name in _HINGES):
        return
    for metric in head.metrics:
        wants = metric.name in ("Precision", "Recall", "TruePositives", "FalsePositives", "AUC")
        wants = wants or metric.name in _CROSSENTROPIES
        if not wants or metric.parameters.get("from_logits"):
            continue
        if metric.name in _CROSSENTROPIES:
            yield (
                f"the metric {metric.name} expects probabilities, and {head.name} gives scores",
                f"write keras.metrics.{_class_of(metric.name)}(from_logits=True)",
            )
            continue
        thresholds = metric.parameters.get("thresholds")
        if metric.name != "AUC" and thresholds is not None:
            continue
        remedy = "from_logits=True" if metric.name == "AUC" else "thresholds=0"
        yield (
            f"{metric.name} expects probabilities, and {head.name} gives scores",
            f"write keras.metrics.{metric.name}({remedy})",
        )


def _class_of(name):
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


@rule(RULES, "metric-broadcast", "warning", "A metric that pairs every target with every other row")
def metric_broadcast(head):
    """
    The metrics hinge, squared_hinge, poisson and kl_divergence of Keras do not make targets of
    shape (n,) fit predictions of shape (n, 1), as the losses of these names do. They average over
    all n by n pairs of a batch.
    """
    names = {
        "hinge": "Hinge",
        "squared_hinge": "SquaredHinge",
        "poisson": "Poisson",
        "kl_divergence": "KLDivergence",
    }
    if head.rows is None or head.rows.ndim != 1 or head.units != 1:
        return
    for metric in head.metrics:
        if metric.name in names or metric.name in names.values():
            yield (
                f"the targets have shape (n,) and the predictions (n, 1), and the metric {metric} "
                "compares each with all",
                "pass y.reshape(-1, 1)",
            )


@rule(RULES, "imbalance-accuracy", "warning", "Accuracy of a rare class")
def imbalance_accuracy(head):
    """
    Where nearly all samples belong to one class, a model that always answers this class has a high
    accuracy and has learned nothing.
    """
    accuracy, y = _accuracy(head), head.y
    if accuracy is None or y is None or y.partial or len(head.metrics) > 1:
        return
    labels = y.rows if len(y.shape) <= 2 else int(np.prod(y.shape))
    if labels < 50 or np.isnan(y.low):
        return
    share = None
    if y.row_counts is not None and y.one_hot:
        share = y.row_counts.max() / y.rows_read
    elif y.class_numbers:
        share = max(y.counts.values()) / sum(y.counts.values())
    if share is not None and 0.9 < share < 1:
        # Weights, and a loss that is made for a rare class, say that somebody thought of it.
        name = (head.loss and head.loss.name) or ""
        plain = "crossentropy" in name and "focal" not in name
        meant = head.setup.weights or head.setup.class_weight or not plain
        of_what = "samples" if len(y.shape) <= 2 else "pixels or steps"
        yield (
            f"{share:.1%} of the {of_what} are of one class: always answering it has this accuracy",
            "measure precision and recall, or keras.metrics.AUC(curve='PR'), as well",
            "info" if meant or share < _RARE else "warning",
        )
