"""Rules on inputs, weights, network and optimizer."""

import keras
import numpy as np
from keras import layers

from lossutils import _internals
from lossutils.checks._findings import rule

RULES = {}

_NORMALIZERS = (
    layers.Normalization,
    layers.Rescaling,
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.GroupNormalization,
    layers.UnitNormalization,
    layers.Discretization,
    layers.CategoryEncoding,
    layers.Embedding,
)
_WEIGHTED = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.RNN)

# Above these a learning rate leaves every minimum, and below the last it does not move.
_LARGEST = {"SGD": 10.0, "Adam": 1.0, "AdamW": 1.0, "Nadam": 1.0, "Adamax": 1.0, "RMSprop": 1.0}
_SMALLEST = 1e-8


@rule(RULES, "not-compiled", "error", "A model without a loss")
def not_compiled(setup):
    """
    fit() needs the loss and the optimizer that compile() sets.
    """
    if not getattr(setup.model, "compiled", False):
        yield "the model is not compiled", "call model.compile(optimizer=..., loss=...) first"


@rule(RULES, "non-finite", "error", "NaN or infinity in the data")
def non_finite(setup):
    """
    One NaN in a batch spreads to weights, and from them to all predictions. With pandas 3,
    df[column].fillna(0, inplace=True) changes nothing.
    """
    for name, inputs in setup.inputs:
        if not inputs.finite:
            yield (
                f"the inputs {name!r} hold NaN or infinity"
                if name
                else ("the inputs hold NaN or infinity"),
                "fill or drop these rows: df[column] = df[column].fillna(...)",
            )
    for head in setup.heads:
        if head.y is not None and head.y.missing:
            yield (
                f"{head.y.missing:,} targets are NaN or infinite",
                "drop these rows, or give them the sample weight 0 and a finite target",
            )
    for weights in setup.weights:
        if weights.dtype.kind == "f" and not np.isfinite(weights).all():
            yield "sample_weight holds NaN or infinity", "give every row a finite weight"


@rule(RULES, "rows-mismatch", "error", "Different numbers of rows")
def rows_mismatch(setup):
    """
    Inputs, targets and weights belong together row by row.
    """
    counts = {inputs.shape[0] for _, inputs in setup.inputs}
    counts |= {*setup.target_rows}
    counts |= {len(weights) for weights in setup.weights}
    if len(counts) > 1:
        listed = ", ".join(f"{count:,}" for count in sorted(counts))
        yield f"the arrays have {listed} rows", "split and filter all of them together"


@rule(RULES, "input-shape", "error", "Inputs of another shape than the model takes")
def input_shape(setup):
    """
    The model was built for inputs of one shape, and these have another.
    """
    expected = _input_shapes(setup.model)
    if len(expected) != len(setup.inputs):
        return
    if any(name for name, _ in setup.inputs) and len(expected) > 1:
        return  # matched by name
    for shape, (_, inputs) in zip(expected, setup.inputs, strict=True):
        seen, wanted = inputs.shape[1:], shape[1:]
        if seen == () and wanted == (1,):
            continue  # Keras makes a column of it
        if len(wanted) + 1 == len(seen) and seen[-1] == 1:
            seen = seen[:-1]
        elif len(seen) + 1 == len(wanted) and wanted[-1] == 1:
            wanted = wanted[:-1]
        fits = len(seen) == len(wanted) and all(
            b is None or a == b for a, b in zip(seen, wanted, strict=True)
        )
        if not fits:
            yield (
                f"the model takes rows of shape {tuple(shape[1:])}, and the inputs have "
                f"{tuple(inputs.shape[1:])}",
                "reshape the inputs, or change keras.Input",
            )


def _input_shapes(model):
    try:
        return [tuple(tensor.shape) for tensor in model.inputs]
    except Exception:  # not built, or a subclass without symbolic inputs
        return []


@rule(RULES, "sample-weights", "error", "Sample weights that cannot be meant")
def sample_weights(setup):
    """
    A weight says how often a row counts. With a negative weight the model learns to be wrong on the
    row, and with all weights zero it learns nothing.
    """
    for weights in setup.weights:
        if weights.dtype.kind not in "iuf" or not weights.size:
            continue
        if weights.min() < 0:
            yield f"sample_weight goes down to {weights.min():g}", "use weights of 0 and above"
        elif weights.max() == 0:
            yield "all sample weights are 0", "give the rows that count a positive weight"


@rule(RULES, "constant-inputs", "error", "Inputs that are all the same")
def constant_inputs(setup):
    """
    Where all rows are equal, no model can tell them apart. Usually a conversion went wrong.
    """
    if not setup.partial and (setup.rows or 0) >= 10 and setup.inputs:
        if all(inputs.constant for _, inputs in setup.inputs):
            yield f"all {setup.rows:,} rows of the inputs are equal", "look at how x is read"


@rule(RULES, "inputs-scale", "warning", "Inputs far from the scale of the weights")
def inputs_scale(setup):
    """
    Initial weights suit inputs of about 1. With inputs in the hundreds the first outputs, and with
    plain SGD the first steps, are hundreds of times too large: units die, or the loss becomes NaN.
    """
    if setup.optimizer is None or setup.adaptive or not _starts_with_weights(setup.model):
        return
    if any(isinstance(layer, _NORMALIZERS) for layer in _layers(setup.model)):
        return
    rate = setup.learning_rate
    for name, inputs in setup.inputs:
        if inputs.high > 100 and rate is not None and rate >= 1e-4:
            yield (
                f"the inputs{f' {name!r}' if name else ''} go up to {inputs.high:g}, and nothing "
                "scales them",
                "scale them with the training rows (pixels: divide by 255), or begin the model "
                "with keras.layers.Normalization() or Rescaling",
            )


def _layers(model):
    try:
        return [
            layer for layer in _internals.layers_of(model) if not isinstance(layer, keras.Model)
        ]
    except Exception:
        return []


def _starts_with_weights(model):
    if not isinstance(model, keras.Sequential):
        # The inputs of other models may be scaled by an operation that is no layer.
        operations = getattr(model, "operations", None) or [None]
        if not all(isinstance(operation, layers.Layer) for operation in operations):
            return False
    for layer in _layers(model):
        if isinstance(layer, _WEIGHTED):
            return True
        if not isinstance(layer, (layers.InputLayer, layers.Flatten, layers.Reshape)):
            return False
    return False


@rule(RULES, "linear-stack", "warning", "Layers without an activation between them")
def linear_stack(setup):
    """
    Dense layers without an activation collapse: their product is one matrix, so the deep network
    can do no more than a single layer.
    """
    if not isinstance(setup.model, keras.Sequential) or len(setup.heads) != 1:
        return
    *hidden, _ = [la for la in setup.model.layers if not isinstance(la, layers.InputLayer)] or [
        None
    ]
    inert = (layers.Dropout, layers.Flatten, layers.Reshape, layers.Normalization, layers.Rescaling)
    dense = [layer for layer in hidden if isinstance(layer, layers.Dense)]
    if not dense or not isinstance(setup.model.layers[-1], (layers.Dense, layers.Activation)):
        return
    for layer in hidden:
        linear = isinstance(layer, layers.Dense) and layer.activation is keras.activations.linear
        if not linear and not isinstance(layer, inert):
            return
    last = setup.model.layers[-1]
    if isinstance(last, layers.Activation) and len(dense) < 2:
        return  # one layer and its activation
    if not _is_linear_problem(setup):
        yield (
            f"{len(dense) + isinstance(last, layers.Dense)} Dense layers follow each other without "
            "an activation",
            "give the hidden layers activation='relu'",
        )


def _is_linear_problem(setup):
    """Tell whether a straight line explains the targets, so that nothing more is needed."""
    head, inputs = setup.heads[0], setup.inputs
    if head.rows is None or len(inputs) != 1 or inputs[0][1].rows_read is None:
        return False
    x, y = inputs[0][1].rows_read, head.rows
    if len(x) != len(y) or y.dtype.kind not in "iuf" or (head.loss and not head.loss.for_numbers):
        return False
    part = slice(None, None, -(-len(x) // 2000))
    x = x[part].reshape(len(x[part]), -1).astype(np.float64)
    y = y[part].reshape(len(y[part]), -1).astype(np.float64)
    if x.shape[1] > min(100, len(x) // 2) or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return False
    x = np.column_stack([np.ones(len(x)), x])
    rest = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return bool(rest.var() <= 0.05 * y.var())


@rule(RULES, "learning-rate", "warning", "A learning rate that cannot work")
def learning_rate(setup):
    """
    Adam and its relatives move every weight by about the learning rate in each step, so 1 and above
    leave every minimum. A rate of zero, or far below any weight, does not move at all.
    """
    rate, optimizer = setup.learning_rate, setup.optimizer
    if rate is None or optimizer is None:
        return
    kind = type(optimizer).__name__
    largest = _LARGEST.get(kind)
    if rate < _SMALLEST or (largest is not None and rate >= largest):
        usual = "0.01" if kind == "SGD" else "0.001"
        yield f"{kind} has the learning rate {rate:g}", f"start from {usual}"


@rule(RULES, "nothing-to-train", "error", "A model without weights to train")
def nothing_to_train(setup):
    """
    All layers are frozen, or none has weights: fit() runs and changes nothing.
    """
    model = setup.model
    if getattr(model, "built", False) and getattr(model, "compiled", False) and model.layers:
        if not model.trainable_weights:
            yield "no weight of the model is trainable", "set layer.trainable = True, and compile"
