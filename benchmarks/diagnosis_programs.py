"""Faulty programs of degree, each with its repaired form, which `diagnosis.py` diagnoses.

A fault of degree is one that no look at the program finds: a rate ten times off, inputs a hundred
times too large. Each program has rows of its own, drawn by its number. A program and its repaired
form differ in what the fault names, and in nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import keras
import numpy as np

from lossutils import datasets

ROWS = 600


@dataclass(frozen=True)
class Program:
    """A network, what it is trained with and on.

    Attributes
    ----------
    problem : callable
        Takes a seed and returns x and y.
    outputs : int
    activation, loss : str
        Of the output layer, and the loss.
    hidden : tuple of int
    hidden_activation, initializer : str or keras.initializers.Initializer
    bias : float
        Initial bias of hidden layers.
    dropout : float
    penalty : keras.regularizers.Regularizer or None
        Of all layers: where one is left out, it makes up for what the others lose.
    optimizer : callable
        Returns the optimizer.
    spoil : callable
        Takes x and y and returns them as the program gets them.
    epochs, batch_size, shuffle, class_weight
        What `fit` gets.
    """

    problem: Callable
    outputs: int = 1
    activation: str = "linear"
    loss: str = "mean_squared_error"
    hidden: tuple = (64, 64)
    hidden_activation: str = "relu"
    initializer: object = "he_uniform"
    bias: float = 0.0
    dropout: float = 0.0
    penalty: object = None
    optimizer: Callable = lambda: keras.optimizers.Adam(0.005)
    spoil: Callable = lambda x, y: (x, y)
    epochs: int = 40
    batch_size: int = 32
    shuffle: bool = True
    class_weight: dict | None = None

    def data(self, seed):
        """Return x and y as the program gets them."""
        return self.spoil(*self.problem(seed))

    def build(self, inputs):
        """Return the compiled network."""
        layers = [keras.Input((inputs,), dtype="float64")]
        for units in self.hidden:
            layers.append(
                keras.layers.Dense(
                    units,
                    activation=self.hidden_activation,
                    kernel_initializer=self.initializer,
                    bias_initializer=keras.initializers.Constant(self.bias),
                    kernel_regularizer=self.penalty,
                    dtype="float64",
                )
            )
            if self.dropout:
                layers.append(keras.layers.Dropout(self.dropout, dtype="float64"))
        layers.append(
            keras.layers.Dense(
                self.outputs,
                activation=self.activation,
                kernel_regularizer=self.penalty,
                dtype="float64",
            )
        )
        model = keras.Sequential(layers)
        model.compile(optimizer=self.optimizer(), loss=self.loss)
        return model


@dataclass(frozen=True)
class Fault:
    """A faulty program and its repaired form.

    Attributes
    ----------
    kind : str
    cause : str
        The code that names the fault.
    repaired : Program
    changed : dict
        What of the repaired form is wrong in the faulty one.
    """

    kind: str
    cause: str
    repaired: Program
    changed: dict = field(default_factory=dict)

    @property
    def faulty(self):
        """The program with its fault."""
        return replace(self.repaired, **self.changed)


# --- Problems: numbers, two classes, four classes, a rare class -------------------------------


def waves(seed):
    """Draw numbers that no straight line explains."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, 6))
    y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.5 * x[:, 3] + 0.2 * rng.normal(size=ROWS)
    return x, y


def straight(seed):
    """Draw numbers that a straight line explains, with noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, 6))
    return x, x @ np.array([1.0, -0.7, 0.5, 0.3, 0.0, 0.0]) + 0.5 * rng.normal(size=ROWS)


def faint(seed):
    """Draw numbers of which a straight line explains half, with inputs that say nothing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, 12))
    return x, x[:, 0] + rng.normal(size=ROWS)


def rings(seed):
    """Draw two classes, one around the other."""
    data = datasets.circles(n_samples=ROWS, random_state=seed)
    x, y = np.vstack([data.x_train, data.x_test]), np.vstack([data.y_train, data.y_test])
    return x / x.std(axis=0), y[:, 0]


def clouds(seed):
    """Draw four classes that overlap a little, two clouds each."""
    rng = np.random.default_rng(seed)
    centers = np.random.default_rng(7).normal(scale=2.0, size=(8, 5))
    cloud = rng.integers(8, size=ROWS)
    x = centers[cloud] + rng.normal(size=(ROWS, 5))
    return (x - x.mean(axis=0)) / x.std(axis=0), cloud % 4


def rare(seed):
    """Draw two classes, one of which has one row in twenty and overlaps with the other."""
    rng = np.random.default_rng(seed)
    y = (np.arange(ROWS) % 20 == 0).astype(int)
    return rng.normal(size=(ROWS, 5)) + 0.75 * y[:, None], y


# --- Programs that are right ------------------------------------------------------------------


def adam(rate, **settings):
    return lambda: keras.optimizers.Adam(rate, **settings)


def sgd(rate, momentum=0.9):
    return lambda: keras.optimizers.SGD(rate, momentum=momentum)


def normal(deviation):
    return keras.initializers.RandomNormal(stddev=deviation)


WAVES = Program(waves)
WAVES_SGD = Program(waves, optimizer=sgd(0.02))
STRAIGHT = Program(straight, hidden=(16,), optimizer=adam(0.01), epochs=30)
FAINT = Program(faint, hidden=(64,), optimizer=adam(0.003), epochs=20)
RINGS = Program(
    rings,
    activation="sigmoid",
    loss="binary_crossentropy",
    hidden=(50,),
    optimizer=adam(0.02),
)
RINGS_SGD = replace(RINGS, optimizer=sgd(0.1))
CLOUDS = Program(
    clouds,
    outputs=4,
    activation="softmax",
    loss="sparse_categorical_crossentropy",
    hidden=(64,),
    optimizer=adam(0.005),
)
CLOUDS_SGD = replace(CLOUDS, optimizer=sgd(0.05))
RARE = Program(
    rare,
    activation="sigmoid",
    loss="binary_crossentropy",
    hidden=(8,),
    optimizer=adam(0.003),
    epochs=30,
    class_weight={0: 0.53, 1: 10.0},
)


# --- Spoiled data -----------------------------------------------------------------------------


def times(factor):
    return lambda x, y: (x * factor, y)


def moved(offset):
    return lambda x, y: (x + offset, y)


def one_column(factor):
    return lambda x, y: (x * np.array([factor] + [1.0] * (x.shape[1] - 1)), y)


def targets(factor, offset=0.0):
    return lambda x, y: (x, y * factor + offset)


def sorted_rows(x, y):
    order = np.argsort(y, kind="stable")
    return x[order], y[order]


def mixed_up(x, y):
    return x, np.random.default_rng(99).permutation(y)


def unrelated(x, y):
    return np.random.default_rng(98).normal(size=x.shape), y


SORTED = {"spoil": sorted_rows}
DEEP = (32, 32, 32, 32)

FAULTS = [
    Fault("scale of inputs", "standardize-inputs", WAVES, {"spoil": times(100.0)}),
    Fault("scale of inputs", "standardize-inputs", WAVES, {"spoil": times(0.01)}),
    Fault("scale of inputs", "standardize-inputs", WAVES, {"spoil": moved(100.0)}),
    Fault("scale of inputs", "standardize-inputs", WAVES, {"spoil": one_column(1000.0)}),
    Fault("scale of inputs", "standardize-inputs", WAVES_SGD, {"spoil": times(10.0)}),
    Fault("scale of inputs", "standardize-inputs", RINGS, {"spoil": times(0.01)}),
    Fault("scale of inputs", "standardize-inputs", RINGS_SGD, {"spoil": moved(50.0)}),
    Fault("scale of inputs", "standardize-inputs", CLOUDS, {"spoil": times(0.003)}),
    Fault("scale of inputs", "standardize-inputs", CLOUDS_SGD, {"spoil": times(300.0)}),
    Fault("scale of targets", "standardize-targets", WAVES, {"spoil": targets(1000.0)}),
    Fault("scale of targets", "standardize-targets", WAVES, {"spoil": targets(1.0, 300.0)}),
    Fault("scale of targets", "standardize-targets", WAVES, {"spoil": targets(0.0003)}),
    Fault("scale of targets", "standardize-targets", WAVES_SGD, {"spoil": targets(30.0)}),
    Fault("scale of targets", "standardize-targets", STRAIGHT, {"spoil": targets(20.0, 200.0)}),
    Fault("rate too low", "larger-rate", WAVES, {"optimizer": adam(0.00003)}),
    Fault("rate too low", "larger-rate", WAVES_SGD, {"optimizer": sgd(0.0001)}),
    Fault("rate too low", "larger-rate", STRAIGHT, {"optimizer": adam(0.0003)}),
    Fault("rate too low", "larger-rate", RINGS, {"optimizer": adam(0.0001)}),
    Fault("rate too low", "larger-rate", RINGS_SGD, {"optimizer": sgd(0.001)}),
    Fault("rate too low", "larger-rate", CLOUDS, {"optimizer": adam(0.00005)}),
    Fault("rate too high", "smaller-rate", WAVES, {"optimizer": adam(0.3)}),
    Fault("rate too high", "smaller-rate", WAVES_SGD, {"optimizer": sgd(0.5)}),
    Fault("rate too high", "smaller-rate", STRAIGHT, {"optimizer": adam(2.0)}),
    Fault("rate too high", "smaller-rate", RINGS, {"optimizer": adam(3.0)}),
    Fault("rate too high", "smaller-rate", CLOUDS, {"optimizer": adam(0.5)}),
    Fault("rate too high", "smaller-rate", CLOUDS_SGD, {"optimizer": sgd(5.0)}),
    Fault("hidden activation", "relu", WAVES, {"hidden_activation": "linear"}),
    Fault("hidden activation", "relu", RINGS, {"hidden_activation": "linear"}),
    Fault(
        "hidden activation",
        "relu",
        replace(WAVES_SGD, hidden=DEEP, optimizer=sgd(0.01)),
        {"hidden_activation": "sigmoid"},
    ),
    Fault(
        "hidden activation",
        "relu",
        replace(CLOUDS_SGD, hidden=DEEP, optimizer=sgd(0.02)),
        {"hidden_activation": "sigmoid"},
    ),
    Fault("dead units", "he-initialization", WAVES, {"bias": -20.0}),
    Fault("dead units", "he-initialization", CLOUDS, {"bias": -10.0}),
    Fault("initialization", "he-initialization", WAVES, {"initializer": "zeros"}),
    Fault("initialization", "he-initialization", WAVES, {"initializer": normal(3.0)}),
    Fault(
        "initialization",
        "he-initialization",
        replace(WAVES_SGD, hidden=DEEP, optimizer=sgd(0.01)),
        {"initializer": normal(0.001)},
    ),
    Fault("initialization", "he-initialization", RINGS_SGD, {"initializer": "zeros"}),
    Fault(
        "initialization",
        "he-initialization",
        replace(CLOUDS_SGD, hidden=(64, 64)),
        {"initializer": normal(0.0001)},
    ),
    Fault("capacity", "hidden-layer", WAVES, {"hidden": ()}),
    Fault("capacity", "hidden-layer", RINGS, {"hidden": ()}),
    Fault("capacity", "more-units", WAVES, {"hidden": (2, 2)}),
    Fault("capacity", "more-units", RINGS, {"hidden": (1,)}),
    Fault("capacity", "more-units", CLOUDS, {"hidden": (1,)}),
    Fault("nothing to learn", "nothing-to-learn", WAVES, {"spoil": mixed_up}),
    Fault("nothing to learn", "nothing-to-learn", RINGS, {"spoil": unrelated}),
    Fault("nothing to learn", "nothing-to-learn", CLOUDS, {"spoil": mixed_up}),
    Fault(
        "order of rows",
        "shuffle",
        replace(STRAIGHT, optimizer=sgd(0.03), **SORTED),
        {"shuffle": False},
    ),
    Fault("order of rows", "shuffle", replace(RINGS_SGD, **SORTED), {"shuffle": False}),
    Fault("order of rows", "shuffle", replace(WAVES_SGD, **SORTED), {"shuffle": False}),
    Fault("dropout", "no-dropout", WAVES, {"dropout": 0.8}),
    Fault("dropout", "no-dropout", replace(RINGS, hidden=(50, 50)), {"dropout": 0.9}),
    Fault(
        "regularization",
        "no-regularization",
        WAVES,
        {"penalty": keras.regularizers.L2(1.0)},
    ),
    Fault(
        "regularization",
        "no-regularization",
        CLOUDS,
        {"penalty": keras.regularizers.L1(0.1)},
    ),
    Fault(
        "regularization",
        "no-regularization",
        RINGS,
        {"optimizer": adam(0.02, weight_decay=10.0)},
    ),
    Fault("batch", "batch-size", RINGS, {"batch_size": 450, "epochs": 20}),
    Fault("batch", "batch-size", WAVES, {"batch_size": 450}),
    Fault("epochs", "fewer-epochs", FAINT, {"epochs": 200}),
    Fault("epochs", "fewer-epochs", replace(FAINT, hidden=(64, 64), epochs=10), {"epochs": 100}),
    Fault("imbalance", "class-weights", RARE, {"class_weight": None}),
    Fault(
        "imbalance",
        "class-weights",
        replace(RARE, optimizer=adam(0.01)),
        {"class_weight": None},
    ),
]
