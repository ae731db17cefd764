"""What is checked: the outputs of a compiled model, each with its loss, metrics and targets."""

import importlib
import inspect
from dataclasses import dataclass, field
from functools import cached_property, partial

import keras
import numpy as np

from lossutils import _internals
from lossutils.checks import _arrays, _chain, _data, _network, _recognition
from lossutils.losses import CATALOGUE

# Losses for numbers, which say nothing of classes.
_FOR_NUMBERS = {
    name
    for name, entry in CATALOGUE.items()
    if entry.targets.encoding == "real" and entry.task.startswith(("regression", "quantile"))
}


@dataclass(frozen=True)
class Loss:
    """A loss as it was compiled.

    Attributes
    ----------
    given : object
        What the user passed to `compile`.
    entry : Entry or None
        What the catalogue says about it; None for a loss of the user's own.
    parameters : dict
        Its parameters, defaults included. Of a loss of the user's own that passes predictions to a
        loss of Keras as targets, ``swapped`` is the name of that.
    """

    given: object
    entry: object = None
    parameters: dict = field(default_factory=dict)

    @property
    def name(self):
        """Keras's function name, or None for a loss of the user's own."""
        return self.entry.name if self.entry else None

    @property
    def from_logits(self):
        """Whether it expects logits."""
        return bool(self.parameters.get("from_logits", False))

    @property
    def for_numbers(self):
        """Whether it is a loss for regression."""
        return self.name in _FOR_NUMBERS

    @property
    def targets(self):
        """The encoding of its targets, or None where unknown."""
        return self.entry.targets.encoding if self.entry else None

    @property
    def predictions(self):
        """The encoding of its predictions, or None where unknown."""
        if self.entry is None:
            return None
        return "logits" if self.from_logits else self.entry.predictions.encoding


@dataclass(frozen=True)
class Metric:
    """A metric as it was compiled.

    Attributes
    ----------
    name : str
        Keras's function name, such as ``"binary_accuracy"``, or the name of the class.
    parameters : dict
    word : str or None
        ``"accuracy"``, where Keras chose the metric by the shapes.
    """

    name: str
    parameters: dict
    word: str | None = None

    def __str__(self):
        return repr(self.word or self.name)


@dataclass(frozen=True)
class Head:
    """One output of a model, and what it is trained with."""

    setup: "Setup"
    output: _network.Output
    loss: Loss | None = None
    metrics: tuple = ()
    y: _arrays.Targets | None = None
    rows: np.ndarray | None = None  # the targets themselves, one of every k of very many

    @property
    def units(self):
        """The length of the last axis of the output, or None."""
        return self.output.units

    @property
    def activation(self):
        """The last activation, or None where unknown."""
        return self.output.activation

    @property
    def name(self):
        """How messages call this output."""
        name = self.output.name
        several = len(self.setup.heads) > 1
        return f"the output {name!r}" if several and name else "the output layer"

    @property
    def aligned(self):
        """Whether Keras sees targets and output with equal shapes; None where that is unknown."""
        if self.y is None or self.output.shape is None:
            return None
        y, output = self.y.shape[1:], self.output.shape[1:]
        if len(y) + 1 == len(output) and output[-1] == 1:
            output = output[:-1]
        elif len(output) + 1 == len(y) and y[-1] == 1:
            y = y[:-1]
        if len(y) != len(output):
            return False
        return all(b is None or a == b for a, b in zip(y, output, strict=True))


class Setup:
    """A compiled model with what it is to be trained on.

    Attributes
    ----------
    model : keras.Model
    data : Data
        Inputs, targets and weights as they were read.
    inputs : list of (str, Inputs)
        What was seen of each input array.
    heads : list of Head
    names : list of str
        The names of the outputs; "" where an output has none.
    weights : list of ndarray
        Sample weights.
    class_weight : dict or None
    target_rows : list of int
        How many targets each output has.
    validation : Data or None
        Rows to validate on.
    validation_targets : list of (ndarray or None)
        Their targets, one for each of `heads`.
    validation_split : float
        The share of the last rows that `fit` would validate on.
    partial : bool
        Whether the arrays are the first batches of something larger.
    """

    def __init__(
        self,
        model,
        x,
        y=None,
        sample_weight=None,
        class_weight=None,
        validation_data=None,
        validation_split=0.0,
    ):
        self.model = model
        self.data = data = _data.read(x, y, sample_weight)
        self.partial = data.partial
        self.inputs = [(name, _arrays.look_at(array)) for name, array in data.inputs]
        self.weights = [w for w in _data.flattened(data.sample_weight) if w is not None]
        self.class_weight = class_weight
        self.validation_split = validation_split
        self.target_rows = []
        self.names = []
        self.heads = self._heads(data.y)
        self.validation = None if validation_data is None else _validation(validation_data)
        self.validation_targets = []
        if self.validation is not None:
            losses = [head.loss for head in self.heads]
            self.validation_targets = _targets_of(self.validation.y, self.names, losses)

    @property
    def rows(self):
        """The number of samples, or None."""
        return self.inputs[0][1].shape[0] if self.inputs else None

    @property
    def custom_training(self):
        """Whether the model computes its loss in a way of its own."""
        own = ("train_step", "compute_loss")
        return any(getattr(type(self.model), n) is not getattr(keras.Model, n) for n in own)

    @cached_property
    def optimizer(self):
        """The optimizer, the one inside where it is wrapped for loss scaling, or None."""
        optimizer = getattr(self.model, "optimizer", None)
        return getattr(optimizer, "inner_optimizer", optimizer)

    @cached_property
    def learning_rate(self):
        """The learning rate as a number, or None where a schedule gives it."""
        rate = self.optimizer and _internals.learning_rate_of(self.optimizer)
        if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) or rate is None:
            return None
        try:
            return float(rate)
        except Exception:  # a function of the step
            return None

    @cached_property
    def adaptive(self):
        """Whether the size of a step does not follow the size of the gradient."""
        return not isinstance(self.optimizer, keras.optimizers.SGD)

    @cached_property
    def layers(self):
        """All layers that are no models, each once; empty where that cannot be said."""
        try:
            parts = _internals.layers_of(self.model)
        except Exception:  # a model that was not initialized
            return []
        return [layer for layer in parts if not isinstance(layer, keras.Model)]

    @cached_property
    def fronts(self):
        """What each input meets on its way to the first weights."""
        return _chain.fronts(self.model, self.inputs)

    @cached_property
    def chain(self):
        """The layers of a model of one input in their order, up to where its way divides."""
        if len(self.inputs) != 1:
            return []
        operations = _chain.operations_from(self.model)
        return [
            operation
            for operation in operations
            if isinstance(operation, keras.layers.Layer) and not isinstance(operation, keras.Model)
        ]

    def _heads(self, y):
        x = None if any(array is None for array in _data.flattened(self.data.x)) else self.data.x
        outputs = _network.outputs(self.model, x)
        if not outputs:
            return []
        self.names = names = [output.name for output in outputs]
        losses = _shared_out(getattr(self.model, "loss", None), names, repeat_one=True)
        metrics = [_shared_out(given, names) for given in _given_metrics(self.model)]
        targets = _targets_of(y, names, losses)
        heads = []
        for i, (output, array) in enumerate(zip(outputs, targets, strict=True)):
            summary = shape = None
            if array is not None:
                self.target_rows.append(len(array))
                array = self._counted_rows(array)
                summary, shape = _arrays.summarize(array, self.partial), array.shape
                array = _arrays.thinned(array)
            heads.append(
                Head(
                    self,
                    output,
                    resolve_loss(losses[i], shape, output.shape),
                    tuple(resolve_metrics([m[i] for m in metrics], shape, output.shape)),
                    summary,
                    array,
                )
            )
        return heads

    def _counted_rows(self, array):
        """Leave out rows of weight 0, whose targets do not matter."""
        weights = self.weights[0] if len(self.weights) == 1 else None
        if weights is None or weights.shape != array.shape[:1]:
            return array
        return array if weights.all() else array[weights != 0]


def _validation(given):
    """Read `validation_data` as `model.fit` takes it: a tuple of x, y and weights, or batches."""
    if isinstance(given, (tuple, list)):
        return _data.read(*[*given, None, None][:3], name="validation_data[0]")
    return _data.read(given, name="validation_data")


def _targets_of(y, names, losses):
    """Share out targets; a single array goes to the only output that has a loss."""
    if len(names) == 1 and isinstance(y, (list, tuple)) and len(y) == 1:
        y = y[0]
    trained = [i for i, loss in enumerate(losses) if loss is not None]
    if len(names) > 1 and len(trained) == 1 and isinstance(y, np.ndarray):
        return [y if i == trained[0] else None for i in range(len(names))]
    return [_arrays.as_array(array) for array in _shared_out(y, names)]


def _shared_out(given, names, repeat_one=False):
    """Share out losses, metrics or targets over the outputs of a model."""
    if isinstance(given, dict):
        return [given.get(name) for name in names]
    if len(names) == 1:
        unpack = repeat_one and isinstance(given, (list, tuple)) and len(given) == 1
        return [given[0] if unpack else given]
    if isinstance(given, (list, tuple)) and len(given) == len(names):
        return list(given)
    shared = given if repeat_one and not isinstance(given, (list, tuple)) else None
    return [shared] * len(names)


def resolve_loss(given, y_shape, output_shape):
    """Find a loss in the catalogue; None where there is none or its name is unknown."""
    if given is None:
        return None
    if isinstance(given, str) and given.lower() in ("crossentropy", "ce"):
        encoding = _encoding_by_shape(y_shape, output_shape)
        if encoding is None:
            return None
        given = f"{encoding}_crossentropy"
    parameters = {}
    try:
        resolved = keras.losses.get(given)
    except Exception:
        return None
    if isinstance(resolved, partial):
        parameters, resolved = dict(resolved.keywords), resolved.func
    if isinstance(resolved, keras.losses.Loss):
        entry = next((e for e in CATALOGUE.values() if type(resolved) is _class(e)), None)
        if entry is None and type(resolved).__name__ == "LossFunctionWrapper":
            entry = _by_function(resolved.fn)
        parameters = _parameters(resolved)
    else:
        entry = _by_function(resolved)
    if entry is None:
        entry, parameters = _recognition.same_as(given, output_shape)
        if entry is None:
            return Loss(given, parameters=parameters)
    return Loss(given, entry, entry.parameters | parameters)


def _class(entry):
    module, _, name = entry.keras_class.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _by_function(function):
    name = getattr(function, "__name__", None)
    entry = CATALOGUE.get(name)
    return entry if entry and getattr(keras.losses, name, None) is function else None


def _parameters(thing):
    try:
        config = dict(thing.get_config())
    except Exception:  # a class of the user's own whose configuration is not complete
        return {}
    return {k: v for k, v in config.items() if k not in ("name", "reduction", "dtype", "fn")}


def _encoding_by_shape(y_shape, output_shape):
    """Say which labels Keras reads from the shapes, for "crossentropy" and "accuracy"."""
    if output_shape is None:
        return None
    if output_shape[-1] == 1:
        return "binary"
    if y_shape is None:
        return None
    sparse = len(y_shape) < len(output_shape) or y_shape[-1] == 1
    return "sparse_categorical" if sparse else "categorical"


def _given_metrics(model):
    """Return metrics and weighted metrics as given to compile."""
    compiled = isinstance(model, keras.Model) and model.compiled
    given = _internals.metrics_of(model) if compiled else []
    return list(given) if any(given) else []


def resolve_metrics(given, y_shape, output_shape):
    """Yield what is known of each metric of an output."""
    for metric in keras.tree.flatten(given):
        if metric is None:
            continue
        word = metric if isinstance(metric, str) and metric.lower() in ("accuracy", "acc") else None
        if word:
            if output_shape is not None:
                encoding = _encoding_by_shape(y_shape, output_shape)
                name = f"{encoding}_accuracy" if encoding else "accuracy_of_classes"
                yield Metric(name, {"threshold": 0.5}, word)
            continue
        try:
            metric = keras.metrics.get(metric)
        except Exception:
            continue
        function = metric
        if isinstance(metric, keras.metrics.MeanMetricWrapper):
            function, _ = _internals.metric_function_of(metric)
        if inspect.isfunction(function):
            module = getattr(function, "__module__", "") or ""
            if module.startswith("keras."):
                yield Metric(
                    function.__name__, _parameters(metric) if metric is not function else {}
                )
        elif type(metric).__module__.startswith("keras."):
            yield Metric(type(metric).__name__, _parameters(metric))
