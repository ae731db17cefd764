"""Set-ups for the rules on metrics; see test_checks_rules.py."""

import numpy as np
import pandas as pd
import tensorflow as tf
from check_setups import (
    BINARY,
    CLASSES,
    COUNTS,
    FRAME,
    IMAGES,
    LABELS,
    MASKS,
    NUMBERS,
    ONE_HOT,
    ROWS,
    SERIES,
    SEVERAL,
    SHARES,
    SIGNS,
    STEP_LABELS,
    Perceptron,
    X,
    added,
    built_perceptron,
    check,
    column,
    compiled,
    convolutional,
    functional,
    image_to_image,
    nested,
    sequential,
    time_distributed,
    two_outputs,
    unbuilt,
)
from keras import losses, metrics

RARE = (np.arange(ROWS) % 20 == 0).astype(int)
RARE_CLASSES = np.where(RARE == 1, np.arange(ROWS) // 20 % CLASSES, 1)
LOGITS = losses.BinaryCrossentropy(from_logits=True)
BOTH = [NUMBERS, BINARY]

WRONG = {
    "accuracy-on-regression": {
        "word": lambda: check(compiled(sequential(1), "mse", ["accuracy"]), X, NUMBERS),
        "short word": lambda: check(
            compiled(functional(1), losses.MeanAbsoluteError(), ["acc"]), FRAME, pd.Series(NUMBERS)
        ),
        "counts": lambda: check(
            compiled(added(1, "exponential"), "poisson", ["accuracy"]), X, COUNTS
        ),
        "several numbers": lambda: check(
            compiled(unbuilt(CLASSES), "mse", ["mae", "accuracy"]), X, tf.constant(SHARES - 0.5)
        ),
        "one output of two": lambda: check(
            compiled(two_outputs(), ["mse", "bce"], {"price": ["accuracy"], "label": ["accuracy"]}),
            X,
            BOTH,
        ),
    },
    "accuracy-minus-one": {
        "hinge": lambda: check(compiled(sequential(1), "hinge", ["accuracy"]), X, SIGNS),
        "threshold of 0": lambda: check(
            compiled(functional(1, "tanh"), "squared_hinge", [metrics.BinaryAccuracy(threshold=0)]),
            X,
            column(SIGNS),
        ),
        "word binary_accuracy, Series": lambda: check(
            compiled(added(1), losses.Hinge(), ["binary_accuracy"]), FRAME, pd.Series(SIGNS)
        ),
        "squared error": lambda: check(
            compiled(unbuilt(1, "tanh"), "mse", ["acc"]), X, tf.constant(SIGNS)
        ),
    },
    "accuracy-threshold": {
        "hinge": lambda: check(compiled(sequential(1), "hinge", ["accuracy"]), X, BINARY),
        "logits": lambda: check(compiled(functional(1), LOGITS, ["accuracy"]), X, BINARY),
        "class": lambda: check(
            compiled(added(1, "tanh"), "squared_hinge", [metrics.BinaryAccuracy()]),
            FRAME,
            pd.DataFrame({"y": BINARY}),
        ),
        "subclassed": lambda: check(
            compiled(built_perceptron(1), LOGITS, ["binary_accuracy"]), X, column(BINARY)
        ),
        "weighted": lambda: check(
            compiled(unbuilt(1), LOGITS, weighted_metrics=["accuracy"]), X, BINARY
        ),
    },
    "accuracy-several-labels": {
        "word": lambda: check(
            compiled(sequential(3, "sigmoid"), "binary_crossentropy", ["accuracy"]), X, SEVERAL
        ),
        "class": lambda: check(
            compiled(functional(3, "sigmoid"), "bce", [metrics.CategoricalAccuracy()]), X, SEVERAL
        ),
        "logits, DataFrame": lambda: check(
            compiled(nested(3), LOGITS, ["acc"]),
            FRAME,
            pd.DataFrame(SEVERAL, columns=["cat", "dog", "bird"]),
        ),
        "images": lambda: check(
            compiled(convolutional(3, "sigmoid"), "bce", ["categorical_accuracy"]),
            IMAGES,
            SEVERAL == 1,
        ),
    },
    "f1-threshold": {
        "several labels": lambda: check(
            compiled(sequential(3, "sigmoid"), "bce", [metrics.F1Score()]), X, SEVERAL
        ),
        "one output": lambda: check(
            compiled(functional(1, "sigmoid"), "bce", [metrics.F1Score(average="micro")]),
            FRAME,
            column(BINARY),
        ),
        "beta": lambda: check(
            compiled(nested(3), LOGITS, [metrics.FBetaScore(average="macro", beta=2.0)]), X, SEVERAL
        ),
    },
    "metric-encoding": {
        "equality of probabilities": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce", [metrics.Accuracy()]), X, BINARY
        ),
        "equality of logits": lambda: check(
            compiled(functional(1), LOGITS, [metrics.Accuracy(name="acc")]), X, BINARY
        ),
        "equality of rows": lambda: check(
            compiled(unbuilt(3, "softmax"), "categorical_crossentropy", [metrics.Accuracy()]),
            X,
            ONE_HOT,
        ),
        "equality of masks": lambda: check(
            compiled(image_to_image(1, "sigmoid"), "bce", [metrics.Accuracy()]), IMAGES, MASKS
        ),
        "the five largest of three": lambda: check(
            compiled(
                sequential(3, "softmax"),
                "categorical_crossentropy",
                [metrics.TopKCategoricalAccuracy()],
            ),
            X,
            ONE_HOT,
        ),
        "precision with numbers": lambda: check(
            compiled(
                functional(3, "softmax"), "sparse_categorical_crossentropy", [metrics.Precision()]
            ),
            X,
            LABELS,
        ),
        "direction of one number": lambda: check(
            compiled(sequential(1), "mse", ["cosine_similarity"]), X, column(NUMBERS)
        ),
        "overlap of probabilities": lambda: check(
            compiled(image_to_image(1, "sigmoid"), "bce", [metrics.MeanIoU(num_classes=2)]),
            IMAGES,
            MASKS,
        ),
        "overlap of a softmax": lambda: check(
            compiled(
                image_to_image(3, "softmax"),
                "sparse_categorical_crossentropy",
                [metrics.IoU(num_classes=3, target_class_ids=[1])],
            ),
            IMAGES,
            2 * MASKS[..., 0],
        ),
        "categorical with one unit": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce", [metrics.CategoricalAccuracy()]),
            X,
            column(BINARY),
        ),
        "categorical with numbers": lambda: check(
            compiled(
                functional(3, "softmax"),
                "sparse_categorical_crossentropy",
                ["categorical_accuracy"],
            ),
            X,
            LABELS,
        ),
        "sparse with one-hot rows": lambda: check(
            compiled(
                unbuilt(3, "softmax"),
                "categorical_crossentropy",
                [metrics.SparseCategoricalAccuracy()],
            ),
            FRAME,
            pd.get_dummies(pd.Series(LABELS)),
        ),
        "sparse with one unit": lambda: check(
            compiled(added(1, "sigmoid"), "bce", ["sparse_categorical_accuracy"]), X, BINARY
        ),
        "binary with one-hot rows": lambda: check(
            compiled(added(3, "softmax"), "categorical_crossentropy", [metrics.BinaryAccuracy()]),
            X,
            ONE_HOT,
        ),
        "binary with numbers": lambda: check(
            compiled(
                sequential(3, "softmax"), "sparse_categorical_crossentropy", ["binary_accuracy"]
            ),
            X,
            column(LABELS),
        ),
        "each step": lambda: check(
            compiled(
                time_distributed(3, "softmax"),
                "categorical_crossentropy",
                ["sparse_categorical_accuracy"],
            ),
            SERIES,
            np.eye(3)[STEP_LABELS],
        ),
    },
    "probability-metric-on-scores": {
        "cross-entropy of logits": lambda: check(
            compiled(sequential(1), LOGITS, [metrics.BinaryCrossentropy()]), X, BINARY
        ),
        "AUC of logits": lambda: check(compiled(sequential(1), LOGITS, [metrics.AUC()]), X, BINARY),
        "precision of scores": lambda: check(
            compiled(functional(1), "hinge", [metrics.Precision(), metrics.Recall()]), X, BINARY
        ),
        "a word": lambda: check(compiled(added(1), LOGITS, ["Recall"]), FRAME, pd.Series(BINARY)),
        "one output of two": lambda: check(
            compiled(
                two_outputs(label=(1, None)),
                {"price": "mse", "label": LOGITS},
                {"label": [metrics.AUC(curve="PR")]},
            ),
            X,
            {"price": NUMBERS, "label": BINARY},
        ),
    },
    "metric-broadcast": {
        "hinge": lambda: check(compiled(sequential(1), "hinge", ["hinge"]), X, SIGNS),
        "class": lambda: check(
            compiled(functional(1), "squared_hinge", [metrics.SquaredHinge()]), X, BINARY
        ),
        "poisson": lambda: check(
            compiled(unbuilt(1, "exponential"), "poisson", [metrics.Poisson()]),
            X,
            tf.constant(COUNTS),
        ),
        "divergence": lambda: check(
            compiled(added(1, "sigmoid"), "bce", ["kl_divergence"]), X, BINARY
        ),
    },
    "imbalance-accuracy": {
        "pixels": lambda: check(
            compiled(image_to_image(1, "sigmoid"), "bce", ["accuracy"]),
            IMAGES[:20],
            (IMAGES[:20] > 0.97).astype(int),
        ),
        "binary": lambda: check(
            compiled(sequential(1, "sigmoid"), "binary_crossentropy", ["accuracy"]), X, RARE
        ),
        "Series": lambda: check(
            compiled(functional(1, "sigmoid"), "bce", [metrics.BinaryAccuracy()]),
            FRAME,
            pd.Series(RARE),
        ),
        "numbers of classes": lambda: check(
            compiled(unbuilt(3, "softmax"), "sparse_categorical_crossentropy", ["accuracy"]),
            X,
            RARE_CLASSES,
        ),
        "one-hot": lambda: check(
            compiled(added(3, "softmax"), "categorical_crossentropy", ["accuracy"]),
            X,
            np.eye(3)[RARE_CLASSES],
        ),
    },
}

NEAR = {
    "accuracy-on-regression": {
        "error": lambda: check(compiled(sequential(1), "mse", ["mae", "mse"]), X, NUMBERS),
        "classes": lambda: check(
            compiled(sequential(1, "sigmoid"), "binary_crossentropy", ["accuracy"]), X, BINARY
        ),
        "a metric for each output": lambda: check(
            compiled(two_outputs(), ["mse", "bce"], ["mae", "accuracy"]), X, BOTH
        ),
        "a list for the second output only": lambda: check(
            compiled(two_outputs(), ["mse", "bce"], [None, ["accuracy"]]), X, BOTH
        ),
        "a dict for the second output only": lambda: check(
            compiled(two_outputs(), ["mse", "bce"], {"label": "accuracy"}), X, BOTH
        ),
        "both kinds of metrics by name": lambda: check(
            compiled(
                two_outputs(),
                ["mse", "bce"],
                {"price": ["mae"]},
                weighted_metrics={"label": ["accuracy"]},
            ),
            X,
            BOTH,
        ),
    },
    "accuracy-minus-one": {
        "0 and 1": lambda: check(
            compiled(sequential(1), "hinge", [metrics.BinaryAccuracy(threshold=0)]), X, BINARY
        ),
        "another metric": lambda: check(
            compiled(sequential(1), "hinge", ["hinge"]), X, column(SIGNS)
        ),
    },
    "accuracy-threshold": {
        "threshold of 0": lambda: check(
            compiled(
                sequential(1), "hinge", [metrics.BinaryAccuracy(name="accuracy", threshold=0)]
            ),
            X,
            BINARY,
        ),
        "logits with threshold of 0": lambda: check(
            compiled(Perceptron(1), LOGITS, [metrics.BinaryAccuracy(threshold=0.0)]), X, BINARY
        ),
        "probabilities": lambda: check(
            compiled(added(1, "sigmoid"), "bce", [metrics.BinaryAccuracy()]), X, BINARY
        ),
        "logits of several classes": lambda: check(
            compiled(
                sequential(3), losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"]
            ),
            X,
            LABELS,
        ),
    },
    "accuracy-several-labels": {
        "binary": lambda: check(
            compiled(sequential(3, "sigmoid"), "bce", ["binary_accuracy"]), X, SEVERAL
        ),
        "F1": lambda: check(
            compiled(sequential(3, "sigmoid"), "bce", [metrics.F1Score(threshold=0.5)]), X, SEVERAL
        ),
        "one label": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy", ["accuracy"]), X, ONE_HOT
        ),
    },
    "f1-threshold": {
        "threshold": lambda: check(
            compiled(
                sequential(3, "sigmoid"), "bce", [metrics.F1Score(average="macro", threshold=0.5)]
            ),
            X,
            SEVERAL,
        ),
        "exclusive classes": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy", [metrics.F1Score()]),
            X,
            ONE_HOT,
        ),
    },
    "metric-encoding": {
        "the word": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce", ["Accuracy"]), X, BINARY
        ),
        "the two largest of three": lambda: check(
            compiled(
                sequential(3, "softmax"),
                "categorical_crossentropy",
                [metrics.TopKCategoricalAccuracy(k=2)],
            ),
            X,
            ONE_HOT,
        ),
        "precision with one-hot rows": lambda: check(
            compiled(functional(3, "softmax"), "categorical_crossentropy", [metrics.Precision()]),
            X,
            ONE_HOT,
        ),
        "overlap with a threshold": lambda: check(
            compiled(image_to_image(1, "sigmoid"), "bce", [metrics.BinaryIoU()]), IMAGES, MASKS
        ),
        "overlap of the largest": lambda: check(
            compiled(
                image_to_image(3, "softmax"),
                "sparse_categorical_crossentropy",
                [metrics.MeanIoU(num_classes=3, sparse_y_pred=False)],
            ),
            IMAGES,
            2 * MASKS[..., 0],
        ),
        "categorical": lambda: check(
            compiled(
                sequential(3, "softmax"),
                "categorical_crossentropy",
                [metrics.CategoricalAccuracy(), metrics.TopKCategoricalAccuracy(2)],
            ),
            X,
            ONE_HOT,
        ),
        "sparse": lambda: check(
            compiled(
                sequential(3, "softmax"),
                "sparse_categorical_crossentropy",
                ["sparse_categorical_accuracy", metrics.SparseTopKCategoricalAccuracy(k=2)],
            ),
            X,
            LABELS,
        ),
        "binary": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce", ["binary_accuracy"]), X, column(BINARY)
        ),
        "sparse, each step": lambda: check(
            compiled(
                time_distributed(3, "softmax"),
                "sparse_categorical_crossentropy",
                [metrics.SparseCategoricalAccuracy()],
            ),
            SERIES,
            STEP_LABELS,
        ),
    },
    "probability-metric-on-scores": {
        "cross-entropy of logits": lambda: check(
            compiled(sequential(1), LOGITS, [metrics.BinaryCrossentropy(from_logits=True)]),
            X,
            BINARY,
        ),
        "AUC from logits": lambda: check(
            compiled(sequential(1), LOGITS, [metrics.AUC(from_logits=True)]), X, BINARY
        ),
        "precision with threshold of 0": lambda: check(
            compiled(sequential(1), "hinge", [metrics.Precision(thresholds=0)]), X, BINARY
        ),
        "probabilities": lambda: check(
            compiled(
                sequential(1, "sigmoid"),
                "bce",
                ["accuracy", metrics.AUC(), metrics.Precision(), metrics.Recall()],
            ),
            X,
            BINARY,
        ),
    },
    "metric-broadcast": {
        "column": lambda: check(compiled(sequential(1), "hinge", ["hinge"]), X, column(SIGNS)),
        "Series, which Keras makes a column": lambda: check(
            compiled(sequential(1), "hinge", ["hinge"]), X, pd.Series(SIGNS)
        ),
        "a metric that Keras reshapes for": lambda: check(
            compiled(sequential(1), "huber", ["mae", metrics.RootMeanSquaredError()]), X, NUMBERS
        ),
    },
    "imbalance-accuracy": {
        "balanced": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce", ["accuracy"]), X, BINARY
        ),
        "with another metric": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce", ["accuracy", metrics.AUC(curve="PR")]),
            X,
            RARE,
        ),
        "without accuracy": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce", [metrics.Recall()]), X, RARE
        ),
    },
}
