"""What a training step of the user's own computes, read from its graph; nothing is run."""

import keras

from lossutils.checks import _state

# A number of rows that is hardly the size of anything else.
_ROWS = 37

_DIFFERENCES = ("Sub", "SquaredDifference")


class _NoOptimizer:
    """Stands in for the optimizer while a step is traced, so that it makes no variables."""

    def __getattr__(self, name):
        return lambda *arguments, **named: None

    def scale_loss(self, loss):
        return loss


def pairs_all(model, x, y):
    """Tell whether a model's `train_step` subtracts (n, 1) from (n,), or the other way round.

    Parameters
    ----------
    model : keras.Model
        With one input and one output.
    x, y : ndarray
        Some of its rows; their shapes and types count.
    """
    if keras.backend.backend() != "tensorflow" or not model.built:
        return False
    import tensorflow as tf

    def spec(array):
        dtype = tf.float32 if array.dtype.kind == "f" else tf.as_dtype(array.dtype)
        return tf.TensorSpec((_ROWS, *array.shape[1:]), dtype)

    with _state.unchanged(model):
        # Past Keras, which would track the stand-in; `unchanged` takes it back.
        model.__dict__.update(optimizer=_NoOptimizer(), _compile_metrics=None)
        try:
            traced = tf.function(lambda *data: model.train_step(data), autograph=False)
            graph = traced.get_concrete_function(spec(x), spec(y)).graph
        except Exception:  # a step that cannot be traced is not ours to judge
            return False
    return any(_is_table(operation) for operation in graph.get_operations())


def _is_table(operation):
    if operation.type not in _DIFFERENCES:
        return False
    shapes = sorted((tuple(tensor.shape.as_list() or ()) for tensor in operation.inputs), key=len)
    return shapes == [(_ROWS,), (_ROWS, 1)]
