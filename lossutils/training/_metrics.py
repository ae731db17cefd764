"""The metrics that a model is compiled with, in its precision and with a state of their own."""

import copy
import itertools
import types
from operator import itemgetter

import keras
import numpy as np

from lossutils import _internals
from lossutils.training._losses import is_of_keras
from lossutils.training._signature import description

_OF_BATCHES = {"dice", "tversky", "circle"}  # functions of losses that Keras takes as metrics


def metrics(model, y, y_pred, precision):
    """Return metrics like the model's, in its precision and with a state of their own."""
    given, names = _internals.metrics_of(model), _internals.output_names_of(model)
    if not any(given):
        return NoMetrics()
    own = _internals.CompileMetrics(*given, output_names=names)
    own.build(y, y_pred)
    for group in _internals.metric_groups_of(own):
        if group is not None:
            group.metrics = [_metric_in_precision(metric, precision) for metric in group.metrics]
    own.update_state(y, y_pred)  # some metrics create their variables at the first update
    for name, value in own.result().items():
        if isinstance(value, dict) or len(getattr(value, "shape", ())) > 0:
            raise ValueError(
                f"the metric {name} gives several numbers, not one: give it an average, such as "
                'keras.metrics.F1Score(average="macro", threshold=0.5), or one metric for each'
            )
    own.reset_state()
    return own


class NoMetrics:
    """Stands for the metrics of a model without any, whose targets may lack outputs."""

    metrics = variables = ()

    def update_state(self, y_true, y_pred):
        """Do nothing."""

    def reset_state(self):
        """Do nothing."""

    def result(self):
        """Return no results."""
        return {}


def direction(metrics, name):
    """Return ``"up"`` or ``"down"``, which is better for a metric, or None if it does not say."""
    named = dict(zip(metrics.result(), metrics.metrics, strict=True))
    return _internals.direction_of(named[name])


def _metric_in_precision(metric, precision):
    if type(metric) is keras.metrics.MeanMetricWrapper:
        function, arguments = _internals.metric_function_of(metric)
        return keras.metrics.MeanMetricWrapper(
            function, name=metric.name, dtype=precision, **arguments
        )
    try:
        same = type(metric).from_config(metric.get_config())
        in_precision = type(metric).from_config({**metric.get_config(), "dtype": precision})
    except (TypeError, ValueError, NotImplementedError):
        return _copied(metric)
    if is_of_keras(type(metric)) or _same_parameters(same, metric):
        return in_precision
    return _copied(metric)  # its config leaves parameters out


def _copied(metric):
    """Copy a metric with variables of its own; it keeps its precision.

    Python's own copy of a Keras object goes through its config.
    """
    copied = object.__new__(type(metric))
    copied.__dict__.update(copy.deepcopy(vars(metric), {id(metric): copied}))
    return copied


def _same_parameters(rebuilt, metric):
    theirs = description(metric)
    return theirs is not None and theirs == description(rebuilt)


def has_batchwise_measures(model, losses, metrics, y, y_pred):
    """Tell whether a measure of all rows may differ from the mean over larger parts of them.

    If so, measurements have to use the same batches as `model.evaluate` to agree with it.
    """
    regularized = [v for v in model.trainable_variables if getattr(v, "regularizer", None)]
    of_keras = losses.of_keras and all(map(_adds_up, metrics.metrics))
    masked = any(_internals.keras_mask(each) is not None for each in keras.tree.flatten(y_pred))
    return (
        losses.depend_on_the_batch
        or masked
        or len(model.losses) > len(regularized)
        or not (of_keras or _add_up(losses, metrics, y, y_pred))
    )


def _adds_up(metric):
    """Tell whether a metric is known to be one of Keras's that take rows one by one."""
    if not is_of_keras(type(metric)) or not isinstance(metric, keras.metrics.MeanMetricWrapper):
        return is_of_keras(type(metric))
    function, arguments = _internals.metric_function_of(metric)
    by_row = isinstance(function, types.FunctionType) and function.__name__ not in _OF_BATCHES
    return by_row and is_of_keras(function) and arguments.get("axis", -1) == -1


def _add_up(losses, metrics, y, y_pred):
    """Tell whether the measures of some rows follow from those of unequal parts of them."""
    rows = keras.tree.flatten(y)[0].shape[0]
    if rows < 3:
        return False
    y_pred = keras.tree.map_structure(_spread, y_pred)

    def measured(*bounds):
        metrics.reset_state()
        total = 0.0
        for start, stop in itertools.pairwise(bounds):
            part = keras.tree.map_structure(itemgetter(slice(start, stop)), (y, y_pred))
            metrics.update_state(*part)
            total += np.array(losses.values(*part), dtype=float) * (stop - start)
        return np.array([*(total / rows), *map(float, metrics.result().values())])

    try:
        whole, in_parts = measured(0, rows), measured(0, 1, 1 + rows // 3, rows)
    except Exception:  # what takes no batch of one row is not computed row by row
        return False
    finally:
        metrics.reset_state()
    tolerance = 1e-12 if losses.terms[0].loss.dtype == "float64" else 1e-5
    return np.allclose(whole, in_parts, rtol=tolerance, atol=0)


def _spread(y_pred):
    """Vary predictions: untrained models may give the same for every row, which would hide much."""
    factors = np.random.default_rng(0).uniform(0.1, 1, y_pred.shape)
    factors = keras.ops.cast(factors, y_pred.dtype)
    return keras.ops.where(y_pred == 0, factors, y_pred * factors)
