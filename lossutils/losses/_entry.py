"""What the catalogue says about a loss."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

# The imports that the calls in `Equivalent.call` need. The reference page prints them, the tests
# execute them: what a reader copies is what was tested.
IMPORTS = {
    "PyTorch": "import torch\nimport torch.nn.functional as F",
    "optax": "import jax.numpy as jnp\nimport optax",
    "scikit-learn": "import sklearn.metrics",
    "SciPy": "import numpy as np\nimport scipy.special\nimport scipy.stats",
    "NumPy": "import numpy as np",
}

Encoding = Literal[
    "real",  # any number between low and high
    "count",  # a non-negative integer
    "binary",  # 0 or 1, or a probability between them, for each output by itself
    "sign",  # -1 or 1; 0 and 1 are converted where all labels are 0 or 1
    "one-hot",  # a row with a single 1, or more generally a row of probabilities
    "distribution",  # a row of non-negative numbers with sum 1
    "integer",  # one class number from 0 to K - 1 for each row of predictions
    "probability",  # a probability for each output by itself
    "score",  # any number; its sign, or the largest of a row, decides
    "direction",  # a row whose direction counts, not its length
    "embedding",  # a row of length 1
    "mean and log variance",  # two outputs for each target: first all means, then all log variances
    "sequence",  # a row of class numbers from 1 to K - 1, filled up with 0
    "cumulative logits",  # for each threshold between ordered classes the logit of lying above it
    "scores in time",  # for each time step a row of logits, class 0 being the blank
]


@dataclass(frozen=True)
class Values:
    """What targets or predictions may hold.

    Parameters
    ----------
    encoding : str
        How the numbers carry meaning; see `Encoding`.
    low, high : float
        The closed range of valid numbers.
    description : str
        The same in words, with the shape.
    """

    encoding: Encoding
    low: float = -np.inf
    high: float = np.inf
    description: str = ""


@dataclass(frozen=True)
class Equivalent:
    """The same loss, or one that is easily taken for it, in another framework.

    Parameters
    ----------
    framework : str
        A key of `IMPORTS`.
    call : str
        A Python expression of `y_true` and `y_pred`, arrays of that framework in float64. Its
        value is the mean over the samples, or the loss of each sample.
    relation : {"equal", "different"}
        Whether the value equals this loss on valid targets and predictions.
    note : str
        What differs, or what to mind.
    parameters : mapping
        The parameters of this loss for which the relation holds.
    """

    framework: str
    call: str
    relation: Literal["equal", "different"] = "equal"
    note: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """The publication that introduced a loss, or that explains it best."""

    citation: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A straight line of predictions, for a picture of the loss along it.

    At abscissa t one sample's prediction is ``origin + t * direction``.

    Parameters
    ----------
    label : str
        What the abscissa t means.
    low, high : float
        The range of t worth a picture.
    targets : mapping
        For each curve its legend and the target of the sample.
    origin, direction : tuple
        Of the shape of one sample's prediction; of a batch, for a loss of whole batches.
    parameters : mapping
        Parameters of the loss for the picture, where the defaults do not fit it.
    """

    label: str
    low: float
    high: float
    targets: Mapping[str, Any]
    origin: tuple = (0.0,)
    direction: tuple = (1.0,)
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """All that the book, its tests and its checker know about a loss.

    Parameters
    ----------
    title : str
        The name of the loss in running text.
    task : str
        What it is for: "regression", "binary classification", "multiclass classification", ...
    keras_class : str
        The importable path of the Keras class.
    takes_name : bool
        Whether `model.compile(loss=...)` takes the name as a string.
    aliases : tuple of str
        Shorter strings that it takes as well.
    fixed : mapping
        Parameters of the Keras class that `numpy` does not have, with the value that it assumes.
    whole_batch : bool
        Whether the samples of a batch depend on each other, so that the loss of one sample alone
        has no meaning. `gradient` is then the derivative of the sum.
    formula : str
        The loss of one sample in LaTeX, without dollar signs.
    activation : tuple of str
        Keras activations of the output layer that fit the default parameters, best first. With
        ``from_logits=True`` the only fitting one is "linear".
    targets, predictions : Values
        Their encoding and valid range, for the default parameters.
    numpy : callable
        ``numpy(y_true, y_pred, **parameters)``: the loss of each sample.
    gradient : callable
        ``gradient(y_true, y_pred, **parameters)``: its derivative with respect to `y_pred`.
    curve : Curve
        How to draw it.
    equivalents : tuple of Equivalent
        The loss in other frameworks, and what is easily mistaken for it.
    traps : tuple of str
        What goes wrong without an error message, in Markdown.
    sources : tuple of Source
        Where it comes from.
    """

    title: str
    task: str
    keras_class: str
    formula: str
    activation: tuple[str, ...]
    targets: Values
    predictions: Values
    numpy: Callable
    gradient: Callable
    curve: Curve
    equivalents: tuple[Equivalent, ...]
    traps: tuple[str, ...]
    sources: tuple[Source, ...]
    takes_name: bool = True
    aliases: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    whole_batch: bool = False

    @property
    def name(self):
        """Keras's function name, which is the key in the catalogue."""
        return self.numpy.__name__

    @property
    def parameters(self):
        """The parameters of the loss and their defaults, from the signature of `numpy`."""
        signature = inspect.signature(self.numpy)
        return {
            name: parameter.default
            for name, parameter in signature.parameters.items()
            if parameter.kind is parameter.KEYWORD_ONLY
        }

    @property
    def takes_logits(self):
        """Whether ``from_logits=True`` makes it take a linear output layer."""
        return "from_logits" in self.parameters

    def along_curve(self, points=401, **parameters):
        """Compute what a picture of the loss and of its slope shows.

        Parameters
        ----------
        points : int
            The number of abscissas.
        **parameters
            Parameters of the loss in place of those in `curve`.

        Returns
        -------
        t : ndarray, shape (points,)
            The abscissas.
        curves : dict
            For each target of `curve`, by its legend, the loss and its derivative along the line,
            each of shape (points,).

        Raises
        ------
        ValueError
            If `points` is below 2.
        """
        if points < 2:
            raise ValueError(f"points={points!r} must be at least 2: a curve has two ends.")
        parameters = {**self.curve.parameters, **parameters}
        t = np.linspace(self.curve.low, self.curve.high, points)
        direction = np.asarray(self.curve.direction, dtype=np.float64)
        y_pred = np.asarray(self.curve.origin) + np.multiply.outer(t, direction)
        curves = {}
        for legend, target in self.curve.targets.items():
            if self.whole_batch:
                batches = [(target, batch) for batch in y_pred]
            else:
                batches = [(np.broadcast_to(target, (points, *np.shape(target))), y_pred)]
            loss = [self.numpy(*batch, **parameters) for batch in batches]
            slope = [self.gradient(*batch, **parameters) * direction for batch in batches]
            curves[legend] = tuple(np.reshape(a, (points, -1)).sum(axis=1) for a in (loss, slope))
        return t, curves
