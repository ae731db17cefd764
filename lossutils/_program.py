"""A Keras model's whole training as one TensorFlow graph: epochs, steps and measurements.

`model.fit` returns to Python after every step; here Python is left once. What a step computes is
what Keras's own training step computes, with the model's own layers, loss, metrics and optimizer,
so that the weights agree with those of `model.fit`. The loops are explicit `tf.while_loop`s, not
Python loops for AutoGraph to rewrite.
"""

import contextlib
import math

import keras
import numpy as np
import tensorflow as tf

from lossutils import _compiled

# Rows that one inference pass takes at least, and numbers that a layer may give in one. The fewer
# passes the better: a last pass of fewer rows is compiled a second time.
_ROWS_PER_PASS = 1024
_NUMBERS_PER_PASS = 2**20

# Training rows that loss and metrics are tried on.
_ROWS_TO_TRY = 32

# Row orders that are drawn at once: 80 MB of them, whatever the number of epochs.
_ORDERS = 20_000_000


class Program:
    """One compiled model and the graph that trains and measures it.

    Parameters
    ----------
    model : keras.Model
        A compiled model with one input and one output. It is trained in place.
    data : Dataset
        Training and test rows. Their shapes become part of the graph.
    batch_size : int
        Rows a step.
    weights : ndarray of shape (n_train,) or None
        A weight for each training row.
    jit_compile : bool
        Whether XLA compiles the graph.
    device : str
        The device that trains and measures, such as ``"CPU"``.
    curves : bool
        Whether to measure after each epoch instead of after the last.
    like : Program, optional
        A program of an equal model for equal data, whose compiled graph this one shares. Both may
        run at the same time.

    Attributes
    ----------
    measures : list of str
        What is measured: ``"loss"`` and the names of the metrics, as in Keras's history.

    Raises
    ------
    ValueError
        If this kind of model, or the pairing of targets, output and loss, cannot be trained.
    """

    def __init__(
        self,
        model,
        data,
        batch_size,
        weights=None,
        jit_compile=False,
        device="CPU",
        curves=True,
        like=None,
    ):
        self.model = model
        self.batch_size = batch_size
        self.curves = curves
        self.device = device
        self.precision = precision = _compiled.precision(model)
        with tf.device(device):
            self._arrays = [
                None if array is None else tf.convert_to_tensor(_cast(array, precision))
                for array in (data.x_train, data.y_train, weights, data.x_test, data.y_test)
            ]
            rows = _varied_rows(data.y_train)
            x, y = (tf.gather(array, rows) for array in self._arrays[:2])
            y_pred = _compiled.build(model, x)
            self._loss = _compiled.Loss(model, y, y_pred, precision)
            for targets in (data.y_train, data.y_test):
                _compiled.check_targets(self._loss, targets, y_pred)
            self._metrics = _compiled.metrics(model, y, y_pred, precision)
            if like is None:
                batchwise = _compiled.has_batchwise_measures(
                    model, self._loss, self._metrics, y, y_pred
                )
                self._rows_per_pass = batch_size if batchwise else _rows_per_pass(model)
        self.measures = ["loss", *self._metrics.result()]
        self._fresh_optimizer = [tf.identity(v.value) for v in model.optimizer.variables]
        self._source = self if like is None else like
        if like is None:
            self._train = tf.function(self._training, autograph=False, jit_compile=jit_compile)
            self._graphs = {}

    def adopt(self, model):
        """Take over the initial state of a new model of the same architecture."""
        new = [variable.value for variable in model.variables] + self._fresh_optimizer
        for mine, its in zip(self._state(), new, strict=True):
            # Keras's assign would check and convert once more what is known to fit.
            mine.value.assign(its, read_value=False)

    def run(self, epochs, shuffle, seed, learning_rate):
        """Train and measure.

        Parameters
        ----------
        epochs : int
            Passes through the training rows.
        shuffle : bool
            Whether each epoch takes the rows in a new order.
        seed : int
            Seed of these orders.
        learning_rate : float
            The learning rate, where the optimizer has a constant one.

        Returns
        -------
        dict of str to list of float
            ``train_<measure>`` and ``test_<measure>``, with a value for each epoch or, without
            curves, for the last.
        """
        rows = len(self._arrays[0])
        generator = np.random.default_rng(seed)
        measured = []
        for start in range(0, epochs, block := max(1, _ORDERS // rows)):
            orders = np.tile(np.arange(rows, dtype=np.int32), (min(block, epochs - start), 1))
            if shuffle:
                orders = generator.permuted(orders, axis=1)
            measured.append(self._run_block(orders, learning_rate))
        measured = np.concatenate(measured) if self.curves else measured[-1]
        return {
            f"{part}_{measure}": measured[:, i, j].tolist()
            for j, measure in enumerate(self.measures)
            for i, part in enumerate(("train", "test"))
        }

    def _run_block(self, orders, learning_rate):
        """Train through row orders (epochs, n_train); return (epochs or 1, 2, n_measures)."""
        with tf.device(self.device):
            arguments = [
                *self._arrays,
                tf.constant(orders),
                tf.constant(learning_rate, self.precision),
            ]
            graph = self._source._graph(arguments)
            # XLA takes a second to compile a graph. TensorFlow has no public way to run a compiled
            # graph on the variables of another, equal model.
            measured = graph._call_flat(
                [argument for argument in arguments if argument is not None], self._captured(graph)
            )
        return measured.numpy()

    def _graph(self, arguments):
        """Return the graph for so many epochs, which TensorFlow takes 1 ms to look up."""
        epochs = arguments[-2].shape[0]
        if epochs not in self._graphs:
            self._graphs[epochs] = self._train.get_concrete_function(*arguments)
        return self._graphs[epochs]

    def _captured(self, graph):
        """Return what the graph reads from outside, with variables of this program."""
        pairs = zip(self._source._handles(), self._handles(), strict=True)
        own = {id(theirs): mine for theirs, mine in pairs}
        return [own.get(id(captured), captured) for captured in graph.captured_inputs]

    def _handles(self):
        return [variable.value.handle for variable in [*self._state(), *self._metrics.variables]]

    def _state(self):
        return [*self.model.variables, *self.model.optimizer.variables]

    def _training(self, x_train, y_train, weights, x_test, y_test, orders, learning_rate):
        epochs = orders.shape[0]

        def measure():
            return tf.stack([self._measure(x_train, y_train), self._measure(x_test, y_test)])

        def epoch(i, measured):
            self._epoch(x_train, y_train, weights, orders[i])
            return i + 1, (measured.write(i, measure()) if self.curves else measured)

        measured = tf.TensorArray(self.precision, epochs, element_shape=(2, len(self.measures)))
        with _learning_rate_from(self.model.optimizer, learning_rate):
            _, measured = tf.while_loop(
                lambda i, _: i < epochs, epoch, (0, measured), parallel_iterations=1
            )
        return measured.stack() if self.curves else measure()[tf.newaxis]

    def _epoch(self, x, y, weights, order):
        def step(steps, start, size):
            rows = _part(order, start, size)
            batch_weights = None if weights is None else tf.gather(weights, rows)
            self._step(tf.gather(x, rows), tf.gather(y, rows), batch_weights)
            return steps + 1

        _over_parts(order.shape[0], self.batch_size, step, 0)

    def _step(self, x, y, weights):
        with tf.GradientTape() as tape:
            loss = self._loss_value(y, _compiled.call(self.model, x, training=True), weights)
            loss = self.model.optimizer.scale_loss(loss)
        variables = self.model.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.model.optimizer.apply_gradients(zip(gradients, variables, strict=True))

    def _loss_value(self, y, y_pred, weights=None):
        # model.losses: what regularizers and add_loss contribute to the call just made.
        extra = [tf.reduce_sum(tf.cast(loss, self.precision)) for loss in self.model.losses]
        return tf.add_n([self._loss(y, y_pred, sample_weight=weights), *extra])

    def _measure(self, x, y):
        """Measure loss and metrics on all rows, in inference mode."""

        def measure(total, start, size):
            targets = _part(y, start, size)
            y_pred = _compiled.call(self.model, _part(x, start, size), training=False)
            self._metrics.update_state(targets, y_pred)
            return total + self._loss_value(targets, y_pred) * size

        self._metrics.reset_state()
        rows = x.shape[0]
        total = _over_parts(rows, self._rows_per_pass, measure, tf.zeros((), self.precision))
        values = [total / rows, *self._metrics.result().values()]
        return tf.stack([tf.cast(value, self.precision) for value in values])


def _over_parts(rows, size, body, carried):
    """Fold ``carried = body(carried, start, size)`` over parts of the rows, the last one smaller.

    The whole parts run in a loop and the rest after it, so that all shapes are static, as XLA
    needs.
    """
    whole = rows // size
    if whole:
        _, carried = tf.while_loop(
            lambda i, _: i < whole,
            lambda i, carried: (i + 1, body(carried, i * size, size)),
            (0, carried),
            parallel_iterations=1,
        )
    if rows % size:
        carried = body(carried, whole * size, rows % size)
    return carried


def _rows_per_pass(model):
    try:
        shapes = [layer.output.shape[1:] for layer in model._flatten_layers(include_self=False)]
        widest = max(math.prod(shape) for shape in shapes)
    except (AttributeError, TypeError, ValueError):  # shapes are known at the call only
        return _ROWS_PER_PASS
    return max(_ROWS_PER_PASS, _NUMBERS_PER_PASS // widest)


def _varied_rows(y):
    """Return the numbers of a few rows, from the smallest target to the largest."""
    order = np.argsort(y.reshape(len(y), -1)[:, 0], kind="stable")
    return order[np.linspace(0, len(y) - 1, min(len(y), _ROWS_TO_TRY)).astype(int)]


def _part(array, start, size):
    return tf.slice(array, [start] + [0] * (array.ndim - 1), [size, *array.shape[1:]])


def _cast(array, precision):
    """Cast real numbers to the precision given; whole numbers, such as labels, stay whole."""
    return array if np.issubdtype(array.dtype, np.integer) else array.astype(precision)


@contextlib.contextmanager
def _learning_rate_from(optimizer, learning_rate):
    """Let the graph that is traced read a constant learning rate from a tensor.

    Keras keeps it in a float32 variable, which rounds 0.01 even where the model is float64.
    """
    kept = optimizer._learning_rate
    if isinstance(kept, keras.Variable):
        optimizer._learning_rate = lambda: learning_rate
    try:
        yield
    finally:
        optimizer._learning_rate = kept
