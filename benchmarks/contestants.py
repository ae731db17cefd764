"""The same training in lossutils, Keras, scikit-learn, PyTorch and JAX.

Each contestant trains a network with one hidden layer by SGD with momentum, in batches of 32 that
are drawn anew each epoch, and measures loss and metric on all training and test rows after each
epoch. What differs: `model.fit` measures the training rows while it trains (a running mean), and
scikit-learn measures no test rows and no metric, so both do less than the others.
"""

import importlib.util
from dataclasses import dataclass
from functools import partial

import keras
import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from lossutils import datasets, models, training

RATE, MOMENTUM, BATCH = 0.01, 0.9, 32


@dataclass(frozen=True)
class Problem:
    """A data set and the size of the network and of its training."""

    data: datasets.Dataset
    hidden: int
    epochs: int
    kind: str  # "binary", "classes" or "number"
    dtype: str = "float64"

    @property
    def inputs(self):
        """The number of inputs."""
        return self.data.x_train.shape[1]

    @property
    def outputs(self):
        """The number of outputs."""
        return int(self.data.y_train.max()) + 1 if self.kind == "classes" else 1

    def build(self):
        """Build and compile the Keras model."""
        activation, loss, metric = {
            "binary": ("sigmoid", "binary_crossentropy", "accuracy"),
            "classes": ("softmax", "sparse_categorical_crossentropy", "accuracy"),
            "number": ("linear", "mean_squared_error", "mean_absolute_error"),
        }[self.kind]
        model = models.mlp(
            self.inputs, [self.hidden], self.outputs, activation=activation, dtype=self.dtype
        )
        optimizer = keras.optimizers.SGD(learning_rate=RATE, momentum=MOMENTUM)
        model.compile(optimizer=optimizer, loss=loss, metrics=[metric])
        return model


def digits():
    """Return the MNIST subset as rows of 784 numbers."""
    data = datasets.mnist()
    flat = [x.reshape(len(x), -1) for x in (data.x_train, data.x_test)]
    return datasets.Dataset(
        x_train=flat[0], y_train=data.y_train, x_test=flat[1], y_test=data.y_test
    )


def problems():
    """Return the four problems by name."""
    return {
        "circles": Problem(datasets.circles(), 50, 200, "binary"),
        "blobs": Problem(datasets.blobs(one_hot=False), 50, 100, "classes"),
        "regression": Problem(datasets.regression(), 25, 100, "number"),
        "digits": Problem(digits(), 100, 5, "classes", "float32"),
    }


def keras_fit(problem, seeds):
    """Train with `model.fit`."""
    data = problem.data
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        problem.build().fit(
            data.x_train,
            data.y_train,
            validation_data=(data.x_test, data.y_test),
            epochs=problem.epochs,
            batch_size=BATCH,
            verbose=0,
        )


def lossutils_fit(problem, seeds):
    """Train with `training.fit`, tracing a program for each seed."""
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        training.fit(problem.build(), problem.data, epochs=problem.epochs, seed=seed)


def lossutils_repeat(problem, seeds, executor=None):
    """Train with `training.repeat`, in a thread for each core or on an executor."""
    training.repeat(
        problem.build,
        problem.data,
        epochs=problem.epochs,
        seeds=seeds,
        curves=True,
        executor=executor,
    )


def scikit_learn(problem, seeds):
    """Train with scikit-learn's multilayer perceptron."""
    estimator = MLPRegressor if problem.kind == "number" else MLPClassifier
    data = problem.data
    for seed in seeds:
        estimator(
            hidden_layer_sizes=[problem.hidden],
            solver="sgd",
            alpha=0.0,
            batch_size=BATCH,
            learning_rate_init=RATE,
            momentum=MOMENTUM,
            nesterovs_momentum=False,
            max_iter=problem.epochs,
            n_iter_no_change=problem.epochs + 1,
            random_state=seed,
        ).fit(data.x_train, data.y_train.ravel())


def pytorch(problem, seeds):
    """Train with a plain loop in PyTorch."""
    import torch
    from torch.nn import functional as F

    dtype = getattr(torch, problem.dtype)
    data = problem.data
    x, x_test = (torch.as_tensor(a).to(dtype) for a in (data.x_train, data.x_test))
    y, y_test = (torch.as_tensor(a) for a in (data.y_train, data.y_test))
    if problem.kind == "classes":
        y, y_test = y[:, 0].long(), y_test[:, 0].long()
    else:
        y, y_test = y.to(dtype), y_test.to(dtype)
    loss, right = {
        "binary": (F.binary_cross_entropy_with_logits, lambda z, y: ((z > 0) == y).double().mean()),
        "classes": (F.cross_entropy, lambda z, y: (z.argmax(1) == y).double().mean()),
        "number": (F.mse_loss, F.l1_loss),
    }[problem.kind]
    for seed in seeds:
        torch.manual_seed(seed)
        model = torch.nn.Sequential(
            torch.nn.Linear(problem.inputs, problem.hidden, dtype=dtype),
            torch.nn.ReLU(),
            torch.nn.Linear(problem.hidden, problem.outputs, dtype=dtype),
        )
        optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
        for _ in range(problem.epochs):
            for rows in torch.randperm(len(x)).split(BATCH):
                optimizer.zero_grad()
                loss(model(x[rows]), y[rows]).backward()
                optimizer.step()
            with torch.no_grad():
                for inputs, targets in ((x, y), (x_test, y_test)):
                    z = model(inputs)
                    loss(z, targets).item(), right(z, targets).item()


def jax_scan(problem, seeds):
    """Train with JAX, all epochs and steps in one compiled scan."""
    import jax

    with jax.enable_x64(problem.dtype == "float64"):
        train = _jax_program(problem)
        for seed in seeds:
            np.asarray(train(seed))


def jax_compiled(problem):
    """Return a function that trains one seed with a program that is compiled already."""
    import jax

    with jax.enable_x64(problem.dtype == "float64"):
        train = _jax_program(problem)
        train(0)

    def again(seed):
        with jax.enable_x64(problem.dtype == "float64"):
            np.asarray(train(seed))

    return again


def _jax_program(problem):
    import jax
    import jax.numpy as jnp

    data, dtype = problem.data, problem.dtype
    x, x_test = (jnp.asarray(a, dtype) for a in (data.x_train, data.x_test))
    y, y_test = (
        jnp.asarray(a, "int32" if problem.kind == "classes" else dtype)
        for a in (data.y_train, data.y_test)
    )
    n, whole = len(x), len(x) // BATCH * BATCH

    def forward(weights, x):
        w1, b1, w2, b2 = weights
        return jax.nn.relu(x @ w1 + b1) @ w2 + b2

    def loss(weights, x, y):
        z = forward(weights, x)
        if problem.kind == "binary":
            return jnp.mean(jnp.logaddexp(0, z) - y * z)
        if problem.kind == "classes":
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y, axis=1))
        return jnp.mean((z - y) ** 2)

    def metric(weights, x, y):
        z = forward(weights, x)
        if problem.kind == "binary":
            return jnp.mean((z > 0) == y)
        if problem.kind == "classes":
            return jnp.mean(z.argmax(axis=1)[:, None] == y)
        return jnp.mean(abs(z - y))

    def step(state, rows):
        weights, velocity = state
        gradients = jax.grad(loss)(weights, x[rows], y[rows])
        velocity = [MOMENTUM * v - RATE * g for v, g in zip(velocity, gradients, strict=True)]
        return ([w + v for w, v in zip(weights, velocity, strict=True)], velocity), None

    def epoch(state, order):
        state, _ = jax.lax.scan(step, state, order[:whole].reshape(-1, BATCH))
        if whole < n:
            state, _ = step(state, order[whole:])
        measured = [
            f(state[0], *rows) for rows in ((x, y), (x_test, y_test)) for f in (loss, metric)
        ]
        return state, jnp.stack([m.astype(dtype) for m in measured])

    @jax.jit
    def train(weights, orders):
        return jax.lax.scan(epoch, (weights, [jnp.zeros_like(w) for w in weights]), orders)[1]

    def one(seed):
        rng = np.random.default_rng(seed)
        limits = np.sqrt(6 / problem.inputs), np.sqrt(6 / (problem.hidden + problem.outputs))
        shapes = (problem.inputs, problem.hidden), (problem.hidden, problem.outputs)
        weights = []
        for limit, shape in zip(limits, shapes, strict=True):
            weights += [rng.uniform(-limit, limit, shape).astype(dtype), np.zeros(shape[1], dtype)]
        orders = np.tile(np.arange(n, dtype=np.int32), (problem.epochs, 1))
        return train(weights, rng.permuted(orders, axis=1))

    return one


def contestants():
    """Return what can be measured here: by name, a function of a problem and seeds."""
    available = {
        "model.fit": keras_fit,
        "training.fit": lossutils_fit,
        "training.repeat": lossutils_repeat,
        "scikit-learn": scikit_learn,
    }
    if importlib.util.find_spec("torch"):
        available["PyTorch, plain loop"] = pytorch
    if importlib.util.find_spec("jax"):
        available["JAX, scan"] = jax_scan
    return available


def on(executor):
    """Return `training.repeat` on an executor, as a contestant."""
    return partial(lossutils_repeat, executor=executor)
