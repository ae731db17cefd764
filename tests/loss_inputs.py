"""Valid targets and predictions for any entry of the catalogue, from its machine-readable facts."""

import importlib
import itertools

import numpy as np

CLASSES = 4
OUTPUTS = 3

# Values worth a test, for every parameter that a loss of the catalogue has.
PARAMETER_VALUES = {
    "delta": (0.5, 1.0, 3.0),
    "from_logits": (False, True),
    "ignore_class": (None, 2),
    "label_smoothing": (0.0, 0.1),
}


def combinations(entry):
    """Every combination of the parameter values worth a test."""
    values = [PARAMETER_VALUES[name] for name in entry.parameters]
    return [
        dict(zip(entry.parameters, chosen, strict=True)) for chosen in itertools.product(*values)
    ]


def targets(values, rng, n):
    """Draw n random targets of an encoding."""
    match values.encoding:
        case "real" if values.low == 0:
            return rng.gamma(2.0, 2.0, (n, OUTPUTS))
        case "real":
            return rng.normal(0.0, 2.0, (n, OUTPUTS))
        case "binary":
            return rng.integers(0, 2, (n, OUTPUTS)).astype(float)
        case "sign":
            return rng.choice([-1.0, 1.0], (n, OUTPUTS))
        case "one-hot":
            return np.eye(CLASSES)[rng.integers(CLASSES, size=n)]
        case "distribution":
            return rng.dirichlet(np.ones(CLASSES), n)
        case "integer":
            return rng.integers(CLASSES, size=n)
    raise NotImplementedError(f"Say here how to draw targets of the encoding {values.encoding!r}.")


def predictions(values, rng, n, from_logits=False):
    """Draw n random predictions of an encoding, or logits in their place."""
    match values.encoding:
        case "real" if values.low == 0:
            return rng.gamma(2.0, 2.0, (n, OUTPUTS))
        case "real" | "score":
            return rng.normal(0.0, 2.0, (n, OUTPUTS))
        case "probability" if from_logits:
            return rng.normal(0.0, 3.0, (n, OUTPUTS))
        case "probability":
            return rng.uniform(0.02, 0.98, (n, OUTPUTS))
        case "distribution" if from_logits:
            return rng.normal(0.0, 3.0, (n, CLASSES))
        case "distribution":
            return rng.dirichlet(np.full(CLASSES, 2.0), n)
    raise NotImplementedError(
        f"Say here how to draw predictions of the encoding {values.encoding!r}."
    )


def examples(entry, seed=0, n=12, **parameters):
    """Draw n valid targets and predictions for a loss with these parameters."""
    rng = np.random.default_rng(seed)
    return (
        targets(entry.targets, rng, n),
        predictions(entry.predictions, rng, n, parameters.get("from_logits", False)),
    )


def keras_class(entry):
    """Import the Keras class of an entry."""
    module, name = entry.keras_class.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)
