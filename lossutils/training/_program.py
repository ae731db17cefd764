"""A Keras model's whole training as one TensorFlow graph: epochs, steps and measurements.

`model.fit` returns to Python after every step; here Python is left once. What a step computes is
what Keras's own training step computes, with the model's own layers, loss, metrics and optimizer,
so that the weights agree with those of `model.fit`. The loops are explicit `tf.while_loop`s, not
Python loops for AutoGraph to rewrite.
"""

import math
import time

import keras
import numpy as np
import tensorflow as tf

from lossutils import _internals
from lossutils.training import _compiled, _metrics, _rows
from lossutils.training._losses import Losses, NotComputed

# Rows that one inference pass takes at least, and numbers that a layer may give in one. The fewer
# passes the better: a last pass of fewer rows is compiled a second time.
_ROWS_PER_PASS = 1024
_NUMBERS_PER_PASS = 2**20

# Training rows that loss and metrics are tried on.
_ROWS_TO_TRY = 32

# A call of the graph takes row orders for so many epochs at most, which are so many numbers at most
# (8 MB). How many it trains is an input, so that one graph serves trainings of any length.
_EPOCHS_PER_CALL = 256
_ORDERS = 2_000_000

# After about so many seconds the graph returns to Python, which sees an interrupt and moves a bar.
_SECONDS_PER_CALL = 0.5


class NoXla(ValueError):
    """Raised where XLA does not know a part of a graph."""


class Program:
    """One compiled model and the graph that trains and measures it on data of one shape.

    Parameters
    ----------
    model : keras.Model
        A compiled model. It is trained in place.
    data : Dataset
        Training and test rows, or others of the same shapes.
    batch_size : int
        Rows a step.
    jit_compile : bool
        Whether XLA compiles the graph.
    device : str
        The device that trains and measures, such as ``"CPU"``.
    curves : bool
        Whether to measure after each epoch instead of after the last.
    test_rows_only : bool
        Whether the training rows are not measured, as where test rows decide on a learning rate.
        What is named after them is NaN then.
    like : Program, optional
        A program of an equal model for data of equal shapes, whose compiled graph this one shares.
        Both may run at the same time.

    Attributes
    ----------
    measures : list of str
        What is measured, by the names of Keras's history: ``"loss"``, the metrics, and the loss of
        each output where there are several.
    optimizer_start : list of tensor or None
        Values of the optimizer's variables before training; None where they depend on the model's.

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
        jit_compile=False,
        device="CPU",
        curves=True,
        test_rows_only=False,
        like=None,
    ):
        self.model = model
        self.batch_size = batch_size
        self.curves = curves
        self.test_rows_only = test_rows_only
        self.device = device
        self._taken = self._arrays = None
        with tf.device(device), _internals.generators_put_back() as drawn:
            _compiled.build(model, data.x_train)
            self.precision = _compiled.precision(model)
            y, y_pred, moved = self._try(data)
            _compiled.build_optimizer(model)
            self._output = y_pred
            self._check(data)
            self._metrics = _metrics.metrics(model, y, y_pred, self.precision)
            if like is None:
                self._rows_per_pass = self._choose_rows_per_pass(y, y_pred)
        # What measuring must not move, and of that what is no part of the model.
        moved = [*_compiled.generator_states(model), *moved, *drawn.values()]
        self._unmoved = list({id(variable): variable for variable in moved}.values())
        of_model = {id(variable) for variable in model.variables}
        self._foreign = [variable for variable in self._unmoved if id(variable) not in of_model]
        named = [*self._metrics.result(), *self._losses.names]
        self.measures = ["loss", *dict.fromkeys(named)]
        self.optimizer_start = _independent_values(model.optimizer.variables)
        self._source = self if like is None else like
        if like is None:
            self._train = tf.function(self._training, autograph=False, jit_compile=jit_compile)
            self._graph = None
            self._seconds_an_epoch = None

    def _try(self, data):
        """Compute predictions and losses of a few rows; return targets, predictions, what moved.

        A loss that pairs the rows of a batch may take only so many rows as a batch has.
        """
        batch = np.arange(min(self.batch_size, _rows.number(data.x_train)))
        for rows in (_varied_rows(data.y_train), batch):
            x, y = self._tensors(_rows.take((data.x_train, data.y_train), rows))
            y_pred, moved = _compiled.called_without_effect(self.model, x)
            try:
                self._losses = Losses(self.model, y, y_pred, self.precision)
            except NotComputed:
                if rows is batch:
                    raise
            else:
                return y, y_pred, moved

    def _choose_rows_per_pass(self, y, y_pred):
        batchwise = _metrics.has_batchwise_measures(
            self.model, self._losses, self._metrics, y, y_pred
        )
        rows = _rows_per_pass(self.model)
        if batchwise or (self._losses.names and rows < self.batch_size):
            return self.batch_size
        # Whole batches, since Keras takes the loss of an output as the mean over batches.
        return rows // self.batch_size * self.batch_size if self._losses.names else rows

    def larger_is_better(self, measure):
        """Tell whether a larger value of a measure is better; the metric has to say so."""
        if measure == "loss" or measure in self._losses.names:
            return False
        if measure not in self.measures:
            raise ValueError(f"choose_by={measure!r} is no measure: {', '.join(self.measures)}")
        direction = _metrics.direction(self._metrics, measure)
        if direction is None:
            raise ValueError(
                f"Keras does not know whether a larger {measure} is better: choose by the loss or "
                "by one of Keras's own metrics"
            )
        return direction == "up"

    def state(self):
        """Return the values of all variables of model and optimizer, as they are now."""
        return [tf.identity(variable.value) for variable in self._variables()]

    def reset(self, state):
        """Take over the state of an equal model: what its own program's `state` gives."""
        for mine, its in zip(self._variables(), state, strict=True):
            # Keras's assign would check and convert once more what is known to fit.
            mine.value.assign(its, read_value=False)

    def run(self, data, weights, epochs, shuffle, seed, learning_rate, between=None):
        """Train and measure.

        Parameters
        ----------
        data : Dataset
            Rows of the shapes that the program was made for.
        weights : ndarray of shape (n_train,) or None, or nested as the targets
            A weight for each training row.
        epochs : int
            Passes through the training rows.
        shuffle : bool
            Whether each epoch takes the rows in a new order.
        seed : int
            Seed of these orders.
        learning_rate : float or None
            The learning rate, where the optimizer has a constant one.
        between : callable, optional
            Called about twice a second with the number of epochs just trained and, with curves,
            what was measured after each.

        Returns
        -------
        dict of str to list of float
            ``train_<measure>`` and ``test_<measure>``, with a value for each epoch or, without
            curves, for the last.

        Raises
        ------
        NoXla
            If XLA has to compile the graph and cannot.
        """
        self._take(data, weights)
        rows = _rows.number(data.x_train)
        generator = np.random.default_rng(seed)
        measured = []
        done = 0
        while done < epochs:
            count = self._epochs_to_come(rows, epochs - done)
            orders = np.tile(np.arange(rows, dtype=np.int32), (count, 1))
            if shuffle:
                orders = generator.permuted(orders, axis=1)
            started = time.perf_counter()
            part = self._run_some(orders, done + count == epochs, learning_rate)
            self._source._seconds_an_epoch = (time.perf_counter() - started) / count
            done += count
            measured = [*measured, part] if self.curves else [part]
            if between is not None:
                between(count, self._named(part) if self.curves else None)
        return self._named(np.concatenate(measured))

    def prepare(self, data, weights=None):
        """Trace the graph, which runs what a reader wrote in Python."""
        self._take(data, weights)
        with tf.device(self.device):
            rows = _rows.number(data.x_train)
            orders = np.zeros((_epochs_per_call(rows), rows), dtype=np.int32)
            self._source._traced(self._arguments(orders, 0, True, 0.0))

    @property
    def shareable(self):
        """Whether the graph that `prepare` has traced reads variables of the model's only.

        It may read those that a loss or a module keeps: an equal model would have the first's.
        """
        graph = self._source._graph
        own = {id(handle) for handle in self._source._handles()}
        own -= {id(variable.value.handle) for variable in self._source._foreign}
        captured = _internals.captured_in_order(graph)
        return all(tensor.dtype != tf.resource or id(tensor) in own for tensor in captured)

    def release(self):
        """Forget the rows."""
        self._taken = self._arrays = None

    def _take(self, data, weights):
        if self._taken is not None and self._taken[0] is data and self._taken[1] is weights:
            return
        with _internals.generators_put_back():
            self._check(data)
        with tf.device(self.device):
            self._arrays = self._tensors(
                (data.x_train, data.y_train, weights, data.x_test, data.y_test)
            )
        self._taken = data, weights

    def _tensors(self, arrays):
        """Return tensors, nested like the arrays; Keras makes tuples of lists."""
        return keras.tree.map_structure(self._tensor, keras.tree.lists_to_tuples(arrays))

    def _tensor(self, array):
        return None if array is None else tf.convert_to_tensor(_cast(array, self.precision))

    def _check(self, data):
        for targets in (data.y_train, data.y_test):
            self._losses.check(targets, self._output)

    def _named(self, measured):
        return {
            f"{part}_{measure}": measured[:, i, j].tolist()
            for j, measure in enumerate(self.measures)
            for i, part in enumerate(("train", "test"))
        }

    def _epochs_to_come(self, rows, left):
        """Return how many epochs the next call trains: few until their time is known."""
        seconds = self._source._seconds_an_epoch
        count = 1 if seconds is None else int(_SECONDS_PER_CALL / max(seconds, 1e-9))
        return max(1, min(count, left, _epochs_per_call(rows)))

    def _run_some(self, orders, last, learning_rate):
        """Train through row orders (epochs, n_train); return (epochs or 1, 2, n_measures)."""
        count, rows = orders.shape
        room = np.zeros((_epochs_per_call(rows), rows), dtype=np.int32)
        room[:count] = orders
        with tf.device(self.device):
            arguments = self._arguments(room, count, last, learning_rate)
            graph = self._source._traced(arguments)
            try:
                measured = _internals.run_graph(graph, arguments, self._captured(graph))
            except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
                if "XLA" not in error.message:
                    raise
                raise NoXla(
                    f"XLA cannot compile this training: {error.message.splitlines()[0]}: "
                    "leave out jit_compile=True"
                ) from error
        return measured.numpy()[:count]

    def _arguments(self, orders, count, last, learning_rate):
        return [
            *(array for array in keras.tree.flatten(self._arrays) if array is not None),
            tf.constant(orders),
            tf.constant(count),
            tf.constant(last),
            tf.constant(learning_rate or 0.0, self.precision),
        ]

    def _traced(self, arguments):
        if self._graph is None:
            self._graph = self._train.get_concrete_function(*arguments)
        return self._graph

    def _captured(self, graph):
        """Return what the graph reads from outside, with variables of this program."""
        pairs = zip(self._source._handles(), self._handles(), strict=True)
        own = {id(theirs): mine for theirs, mine in pairs}
        captured = _internals.captured_in_order(graph)
        return [own.get(id(tensor), tensor) for tensor in captured]

    def _handles(self):
        return [
            variable.value.handle for variable in [*self._variables(), *self._metrics.variables]
        ]

    def _variables(self):
        return [*self.model.variables, *self.model.optimizer.variables, *self._foreign]

    def _training(self, *arguments):
        *arrays, orders, count, last, learning_rate = arguments
        x_train, y_train, weights, x_test, y_test = self._nested(arrays)
        unknown = tf.constant(math.nan, self.precision, [len(self.measures)])

        def measure():
            train = unknown if self.test_rows_only else self._measure(x_train, y_train)
            return tf.stack([train, self._measure(x_test, y_test)])

        def epoch(i, measured):
            self._epoch(x_train, y_train, weights, orders[i])
            return i + 1, (measured.write(i, measure()) if self.curves else measured)

        shape = (2, len(self.measures))
        measured = tf.TensorArray(self.precision, orders.shape[0], element_shape=shape)
        with _internals.learning_rate_replaced(*self._learning_rate_read_from(learning_rate)):
            _, measured = tf.while_loop(
                lambda i, _: i < count, epoch, (0, measured), parallel_iterations=1
            )
        if self.curves:
            return measured.stack()
        return tf.cond(last, measure, lambda: tf.zeros(shape, self.precision))[tf.newaxis]

    def _nested(self, arrays):
        """Nest what `_arguments` has flattened."""
        arrays = iter(arrays)
        return keras.tree.map_structure(
            lambda array: None if array is None else next(arrays), self._arrays
        )

    def _learning_rate_read_from(self, learning_rate):
        """Let the graph read a constant learning rate from a tensor.

        Keras keeps it in a float32 variable, which rounds 0.01 even where the model is float64.
        """
        kept = _internals.learning_rate_of(self.model.optimizer)
        constant = isinstance(kept, keras.Variable)
        return self.model.optimizer, learning_rate if constant else kept

    def _epoch(self, x, y, weights, order):
        def step(steps, start, size):
            rows = _part(order, start, size)
            self._step(*_rows.apply(lambda array: tf.gather(array, rows), (x, y, weights)))
            return steps + 1

        _over_parts(order.shape[0], self.batch_size, step, 0)

    def _step(self, x, y, weights):
        with tf.GradientTape() as tape:
            y_pred = _compiled.call(self.model, x, training=True)
            loss = self._total(self._losses.values(y, y_pred, weights))
            loss = self.model.optimizer.scale_loss(loss)
        variables = self.model.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.model.optimizer.apply_gradients(zip(gradients, variables, strict=True))

    def _total(self, values):
        # model.losses: what regularizers and add_loss contribute to the call just made.
        extra = [tf.reduce_sum(tf.cast(loss, self.precision)) for loss in self.model.losses]
        return tf.add_n([self._losses.total(values), *extra])

    def _measure(self, x, y):
        """Measure loss and metrics on all rows, in inference mode."""

        def measure(sums, start, size):
            targets, features = _rows.apply(lambda array: _part(array, start, size), (y, x))
            y_pred = _compiled.call(self.model, features, training=False)
            self._metrics.update_state(targets, y_pred)
            values = self._losses.values(targets, y_pred)
            batches = -(-size // self.batch_size)
            sizes = [size, *([batches] * len(self._losses.names))]
            values = [self._total(values), *(values if self._losses.names else [])]
            return [
                total + value * part for total, value, part in zip(sums, values, sizes, strict=True)
            ]

        self._metrics.reset_state()
        rows = _rows.number(x)
        sums = [tf.zeros((), self.precision)] * (1 + len(self._losses.names))
        # The loss of an output is the mean over batches in Keras, where the last and smaller one
        # counts as much as the others.
        whole = rows - rows % self.batch_size if self._losses.names else rows
        with _compiled.unmoved(self._unmoved):
            sums = _over_parts(whole, self._rows_per_pass, measure, sums)
            if whole < rows:
                sums = measure(sums, whole, rows - whole)
        total, *of_outputs = sums
        batches = -(-rows // self.batch_size)
        measured = self._metrics.result() | {
            name: value / batches
            for name, value in zip(self._losses.names, of_outputs, strict=True)
        }
        values = [total / rows, *(measured[name] for name in self.measures[1:])]
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
        layers = _internals.layers_of(model, include_self=False)
        shapes = [layer.output.shape[1:] for layer in layers]
        widest = max(math.prod(shape) for shape in shapes)
    except (AttributeError, TypeError, ValueError):  # shapes are known at the call only
        return _ROWS_PER_PASS
    return max(_ROWS_PER_PASS, _NUMBERS_PER_PASS // widest)


def _independent_values(variables):
    """Return the values of variables, or None where one is no constant, as a copy of weights is."""
    values = [tf.identity(variable.value) for variable in variables]
    if all(np.all(value.numpy() == value.numpy().flat[0]) for value in values if tf.size(value)):
        return values
    return None


def _epochs_per_call(rows):
    return max(1, min(_EPOCHS_PER_CALL, _ORDERS // rows))


def _varied_rows(targets):
    """Return the numbers of a few rows, from the smallest target to the largest of each output."""
    arrays = keras.tree.flatten(targets)
    share = -(-_ROWS_TO_TRY // len(arrays))
    rows = []
    for y in arrays:
        order = np.argsort(y.reshape(len(y), -1)[:, 0], kind="stable")
        rows.append(order[np.linspace(0, len(y) - 1, min(len(y), share)).astype(int)])
    return np.concatenate(rows)


def _part(array, start, size):
    return tf.slice(array, [start] + [0] * (array.ndim - 1), [size, *array.shape[1:]])


def _cast(array, precision):
    """Cast real numbers to the precision given; whole numbers, such as labels, stay whole."""
    return array if np.issubdtype(array.dtype, np.integer) else array.astype(precision)
