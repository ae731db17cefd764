"""Every private part of Keras and TensorFlow that this package uses; no other module touches one.

A new version may move or remove a part. An import that fails says so at once; an attribute that is
missing says so where it is first used. `tests/test_internals.py` has a test for each.
"""

import contextlib
import importlib.util
import inspect
import random
import threading

import keras

KNOWN_TO_WORK = "Keras 3.13 to 3.15 with TensorFlow 2.20 or 2.21"


def _gone(what):
    return (
        f"lossutils uses {what}, which Keras {keras.__version__} and the TensorFlow beside it do "
        f"not have in this form. Known to work: {KNOWN_TO_WORK}. Install these versions, or a "
        "newer lossutils"
    )


try:
    from keras.src.backend.common import global_state
    from keras.src.losses.losses import LossFunctionWrapper
    from keras.src.models.functional import Functional
    from keras.src.trainers.compile_utils import CompileLoss, CompileMetrics, get_loss

    # The checks also work where Keras has another backend and TensorFlow is not installed.
    if importlib.util.find_spec("tensorflow"):
        from tensorflow.python.eager import context as _tensorflow_context
except ImportError as error:
    raise ImportError(_gone(error.name or str(error))) from error

__all__ = [
    "KNOWN_TO_WORK",
    "CompileMetrics",
    "Functional",
    "LossFunctionWrapper",
    "arguments_of_fit",
    "call_arguments_of",
    "call_takes_training",
    "captured_in_order",
    "direction_of",
    "generators_put_back",
    "get_loss",
    "inputs_of_node",
    "keras_history",
    "keras_mask",
    "keras_state",
    "layers_of",
    "learning_rate_of",
    "learning_rate_replaced",
    "loss_arguments_of",
    "loss_weights_of",
    "losses_of",
    "losses_paired",
    "metric_function_of",
    "metric_groups_of",
    "metrics_of",
    "metrics_of_layer",
    "output_names_of",
    "outputs_structure_of",
    "run_graph",
    "seed_generators_of",
    "seeded",
    "set_keras_state",
    "tensorflow_seed_kept",
    "tracker_of",
]

# Held while draws from generators are noted, which replaces a method of their class.
_drawing = threading.RLock()

# Where Keras keeps its seed, the generator made from it, and the numbers of names.
_KERAS_STATE = ("global_random_seed", "global_seed_generator", "object_name_uids")


def _part(thing, name):
    try:
        return getattr(thing, name)
    except AttributeError as error:
        raise RuntimeError(_gone(f"{type(thing).__name__}.{name}")) from error


def arguments_of_fit(model):
    """Return what the running `fit` of a model was called with, or None where none is running.

    Keras passes no data to callbacks. Its `fit` is on the stack, below a wrapper that still has
    what the caller gave: `fit` itself replaces its arguments where it splits off validation data.
    """
    code = inspect.unwrap(keras.Model.fit).__code__
    frame = inspect.currentframe()
    while frame is not None and not (frame.f_code is code and frame.f_locals.get("self") is model):
        frame = frame.f_back
    if frame is None:
        return None
    signature = inspect.signature(keras.Model.fit)
    given = frame.f_back.f_locals if frame.f_back is not None else {}
    if "args" not in given or "kwargs" not in given:
        raise RuntimeError(_gone("the wrapper of Model.fit"))
    bound = signature.bind(*given["args"], **given["kwargs"])
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if name != "self"}


def call_arguments_of(layer):
    """Return the arguments of each call of a layer that a model is made of, by their names."""
    signature = inspect.signature(layer.call)
    calls = [node.arguments for node in _part(layer, "_inbound_nodes")]
    return [dict(signature.bind(*call.args, **call.kwargs).arguments) for call in calls]


def call_takes_training(model):
    """Tell whether a model's `call` has an argument ``training``."""
    return _part(model, "_call_has_training_arg")


def layers_of(model, include_self=True):
    """Return a model's layers and theirs, each once."""
    return _part(model, "_flatten_layers")(include_self=include_self)


def metrics_of_layer(layer):
    """Return the metrics that a layer holds as attributes."""
    return _part(layer, "_metrics")


def seed_generators_of(layer):
    """Return the generators that a layer draws random numbers from."""
    return _part(layer, "_seed_generators")


def tracker_of(layer):
    """Return what notes which variables and parts a layer has, or None."""
    return getattr(layer, "_tracker", None)


def loss_arguments_of(loss):
    """Return what a loss of Keras passes on to its function; {} of a loss that has none."""
    return getattr(loss, "_fn_kwargs", {})


def loss_weights_of(model):
    """Return the loss weights that a model was compiled with, or None."""
    return _part(_part(model, "_compile_loss"), "_user_loss_weights")


def losses_of(model):
    """Return the losses as they were given to `compile`."""
    return _part(_part(model, "_compile_loss"), "_user_loss")


def output_names_of(model):
    """Return the names of a model's outputs, or None where Keras knows none."""
    return _part(_part(model, "_compile_loss"), "output_names")


def losses_paired(model, losses, y, y_pred):
    """Compute a batch as Keras would if the model had other losses, nested like its own.

    Returns a list of (loss, its weight, what Keras calls it), in the order in which Keras calls
    the losses, each with the targets and predictions that belong to it.
    """
    given = []

    def number(weight):
        if weight is None:
            return None
        given.append(weight)
        return float(len(given) - 1)

    # Numbers stand in for the weights: a variable may have another precision than the losses here.
    weights = keras.tree.map_structure(number, loss_weights_of(model))
    compiled = CompileLoss(losses, weights, output_names=output_names_of(model))
    compiled(y, y_pred)
    return [
        (loss, None if weight is None else given[int(weight)], name)
        for _, loss, weight, name in _part(compiled, "_flat_losses")
    ]


def metrics_of(model):
    """Return the metrics and the weighted metrics as they were given to `compile`."""
    compiled = _part(model, "_compile_metrics")
    if compiled is None:
        return [], []
    return _part(compiled, "_user_metrics"), _part(compiled, "_user_weighted_metrics")


def metric_groups_of(compile_metrics):
    """Return the groups, one an output, of metrics that Keras has resolved; some are None."""
    return _part(compile_metrics, "_flat_metrics") + _part(
        compile_metrics, "_flat_weighted_metrics"
    )


def metric_function_of(metric):
    """Return the function that a `MeanMetricWrapper` averages, and its arguments."""
    return _part(metric, "_fn"), _part(metric, "_fn_kwargs")


def direction_of(metric):
    """Return whether ``"up"`` or ``"down"`` is better, or None of metrics that do not say."""
    return getattr(metric, "_direction", None)


def learning_rate_of(optimizer):
    """Return a variable, a schedule or a function; the public property would call the latter."""
    return _part(optimizer, "_learning_rate")


@contextlib.contextmanager
def learning_rate_replaced(optimizer, value):
    """Let an optimizer read its learning rate from a tensor, for a time.

    A function would do for most optimizers; Adafactor treats one like a schedule.
    """
    kept = learning_rate_of(optimizer)
    optimizer._learning_rate = value
    try:
        yield
    finally:
        optimizer._learning_rate = kept


def outputs_structure_of(model):
    """Return the outputs of a functional model as they are nested, or None of other models."""
    return getattr(model, "_outputs_struct", None)


def keras_mask(tensor):
    """Return the mask that Keras attached to a tensor, or None."""
    return getattr(tensor, "_keras_mask", None)


def keras_history(tensor):
    """Return what made a symbolic tensor, or None."""
    return getattr(tensor, "_keras_history", None)


def inputs_of_node(operation, index):
    """Return what an operation took when it was called for the time of this index."""
    return _part(operation, "_inbound_nodes")[index].input_tensors


def run_graph(graph, arguments, captured):
    """Run a traced function on other captured tensors, of the same shapes, than it was traced with.

    TensorFlow has no public way to run a compiled graph on the variables of another, equal model,
    and XLA takes a second to compile one.
    """
    return _part(graph, "_call_flat")(arguments, captured)


def captured_in_order(graph):
    """Return what a traced function reads from outside, in the order in which `run_graph` needs."""
    return graph.captured_inputs


def keras_state():
    """Return Keras's seed, generator and counters of names in this thread."""
    return {name: global_state.get_global_attribute(name) for name in _KERAS_STATE}


@contextlib.contextmanager
def generators_put_back():
    """Put Keras's random generators back afterwards, wherever they are kept.

    Yields a dict that is filled with the variables of those that draw, by id. A loss may have a
    generator as an attribute, in a closure or in a module, and numbers without a seed come from
    one of Keras's own.
    """
    cls, thread, kept, drawn = keras.random.SeedGenerator, threading.get_ident(), {}, {}

    def noted(self, *args, **kwargs):
        # While a graph is traced, no state moves; other threads have generators of their own.
        if threading.get_ident() == thread and _tensorflow_context.executing_eagerly():
            kept.setdefault(id(self.state), (self.state, self.state.numpy()))
        return draw(self, *args, **kwargs)

    with _drawing:
        draw = _part(cls, "next")
        cls.next = noted
        try:
            yield drawn
        finally:
            cls.next = draw
            for key, (state, value) in kept.items():
                state.assign(value)
                drawn[key] = state


def set_keras_state(state):
    """Set what `keras_state` returned, or part of it."""
    for name, value in state.items():
        global_state.set_global_attribute(name, value)


@contextlib.contextmanager
def seeded(seed):
    """Seed TensorFlow and Keras for a time, and number the names of layers from the start.

    TensorFlow's public `set_seed` would also empty its cache of kernels, 60 ms each time.
    """
    context = _tensorflow_context.context()
    kept, of_keras = _tensorflow_seed(context), keras_state()
    context._seed, context._rng = seed, random.Random(seed)
    set_keras_state(dict(zip(_KERAS_STATE, (seed, None, None), strict=True)))
    try:
        yield
    finally:
        context._seed, context._rng = kept
        set_keras_state(of_keras)


@contextlib.contextmanager
def tensorflow_seed_kept():
    """Restore TensorFlow's seed afterwards."""
    context = _tensorflow_context.context()
    kept = _tensorflow_seed(context)
    try:
        yield
    finally:
        context._seed, context._rng = kept


def _tensorflow_seed(context):
    return _part(context, "_seed"), getattr(context, "_rng", None)  # absent before a first seed
