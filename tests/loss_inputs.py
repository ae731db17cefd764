"""Valid targets and predictions for any entry of the catalogue, from its machine-readable facts."""

import importlib
import itertools

import numpy as np

WIDTH = 4  # outputs, or classes
IMAGE = (3, 5, 2)  # height, width and channels of a mask
STEPS, LABELS = 6, 3  # of a sequence

# What to test beside the default, for every parameter that a loss of the catalogue has.
OTHER_VALUES = {
    "alpha": (0.6,),
    "apply_class_balancing": (True,),
    "axis": (-1, 0, (1, 2, 3)),
    "beta": (0.2,),
    "delta": (0.5, 3.0),
    "dice_weight": (0.5,),
    "from_logits": (True,),
    "full": (True,),
    "gamma": (1.5,),
    "ignore_class": (2,),
    "label_smoothing": (0.1,),
    "margin": (0.25,),
    "mining": ("semi-hard",),
    "power": (1.2, 1.9),
    "q": (0.9,),
    "quantile": (0.9, [0.1, 0.3, 0.7, 0.9]),
    "remove_diagonal": (False,),
    "temperature": (0.5,),
}


def combinations(entry):
    """Every combination of the parameter values worth a test."""
    values = [(default, *OTHER_VALUES[name]) for name, default in entry.parameters.items()]
    return [
        dict(zip(entry.parameters, chosen, strict=True)) for chosen in itertools.product(*values)
    ]


def targets(values, rng, n, shape):
    """Draw n random targets of an encoding; those for each output by itself in this shape."""
    match values.encoding:
        case "real" if values.low >= 0:
            return rng.gamma(2.0, 2.0, (n, WIDTH))
        case "real" | "direction":
            return rng.normal(0.0, 2.0, (n, WIDTH))
        case "count":
            return rng.poisson(3.0, (n, WIDTH)).astype(float)
        case "binary":
            return rng.integers(0, 2, shape).astype(float)
        case "sign":
            return rng.choice([-1.0, 1.0], (n, WIDTH))
        case "one-hot":
            return np.eye(WIDTH)[rng.integers(WIDTH, size=n)]
        case "distribution":
            return rng.dirichlet(np.ones(WIDTH), n)
        case "integer":
            return rng.integers(WIDTH, size=n)
        case "sequence":
            labels = rng.integers(1, WIDTH, (n, LABELS))
            return labels * (np.arange(LABELS) < rng.integers(1, LABELS + 1, (n, 1)))
    raise NotImplementedError(f"Say here how to draw targets of the encoding {values.encoding!r}.")


def predictions(values, rng, n, shape, from_logits=False):
    """Draw n random predictions of an encoding, or logits in their place."""
    match values.encoding:
        case "probability" | "distribution" if from_logits:
            return rng.normal(0.0, 3.0, (n, WIDTH))
        case "real" if values.low >= 0:
            return rng.gamma(2.0, 2.0, (n, WIDTH))
        case "real" | "score" | "direction":
            return rng.normal(0.0, 2.0, (n, WIDTH))
        case "probability":
            return rng.uniform(0.02, 0.98, shape)
        case "distribution":
            return rng.dirichlet(np.full(WIDTH, 2.0), n)
        case "mean and log variance":
            return rng.normal(0.0, 1.0, (n, 2 * WIDTH))
        case "cumulative logits":
            return rng.normal(0.0, 2.0, (n, WIDTH))
        case "embedding":
            vectors = rng.normal(0.0, 1.0, (n, WIDTH))
            return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        case "scores in time":
            return rng.normal(0.0, 2.0, (n, STEPS, WIDTH))
    raise NotImplementedError(
        f"Say here how to draw predictions of the encoding {values.encoding!r}."
    )


def examples(entry, seed=0, n=12, **parameters):
    """Draw n valid targets and predictions for a loss with these parameters."""
    rng = np.random.default_rng(seed)
    shape = (n, *IMAGE) if parameters.get("axis") == (1, 2, 3) else (n, WIDTH)
    return (
        targets(entry.targets, rng, n, shape),
        predictions(entry.predictions, rng, n, shape, parameters.get("from_logits", False)),
    )


def keras_class(entry):
    """Import the Keras class of an entry."""
    module, name = entry.keras_class.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)
