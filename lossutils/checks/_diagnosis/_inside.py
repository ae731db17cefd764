"""What happens inside of a network in its first epochs, a layer at a time."""

import time
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from lossutils.checks._diagnosis import _copies

_EPOCHS = 3
_STEPS = 90
_STEPS_WATCHED = 15
_ROWS = 256

# How near to its ends an activation is saturated.
_NEAR = 0.03
_ENDS = {"sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0),
         "hard_tanh": (-1.0, 1.0), "softsign": (-1.0, 1.0)}  # fmt: skip


@dataclass(frozen=True)
class Inside:
    """What the first steps of one training show.

    Attributes
    ----------
    layers : DataFrame
        A row for each layer with a kernel: ``units``; ``scale``, the standard deviation of its
        initial weights in that of He's; ``dead_at_start`` and ``dead``, the share of its units
        that give each row the same number; ``saturated``, the share of its values at an end of
        the activation; ``gradient`` and ``update``, the norm of the gradient and of a step, both
        relative to that of the weights.
    steps : int
        How many steps were watched.
    nan_step : int or None
        The step after which the loss is not finite.
    spread : float
        Standard deviation of the predictions for held-out rows; of numbers in that of the targets.
    gradient_jump : float
        The largest gradient norm among the steps, in the median.
    step_seconds : float
        How long a step takes.
    """

    layers: pd.DataFrame
    steps: int
    nan_step: int | None
    spread: float
    gradient_jump: float
    step_seconds: float

    @property
    def hidden(self):
        """The rows of `layers` before the last."""
        return self.layers.iloc[:-1]


def look_inside(model, rows, task, settings):
    """Train a fresh model for a few epochs, and watch.

    Parameters
    ----------
    model : keras.Model
        It is trained.
    rows : Rows
    task : Task
    settings : Settings

    Returns
    -------
    Inside
    """
    layers = [layer for layer in _copies.ordered_layers(model) if _copies.has_kernel(layer)]
    probe = _probe(model, layers)
    x = rows.x_held_out[:_ROWS]
    start = _activity(probe, layers, x)
    scales = [_scale(layer) for layer in layers]
    model.jit_compile = False  # compiling takes longer than these few steps
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)  # else the step is traced twice
    updates, gradients, seconds, nan_step = [], [], [], None
    batches = _batches(len(rows.x_train), settings)
    watched = {*np.linspace(0, len(batches) - 1, _STEPS_WATCHED).round().astype(int).tolist()}
    for step, batch in enumerate(batches):
        x_batch, y_batch = rows.x_train[batch], rows.y_train[batch]
        if step in watched:
            gradients.append(_gradients(model, layers, x_batch, y_batch))
            before = [_values(layer) for layer in layers]
        started = time.perf_counter()
        loss = model.train_on_batch(x_batch, y_batch)
        seconds.append(time.perf_counter() - started)
        if not np.isfinite(np.ravel(loss)[0]):
            nan_step = step + 1
            break
        if step in watched:
            after = [_values(layer) for layer in layers]
            pairs = zip(after, before, strict=True)
            with np.errstate(invalid="ignore"):
                updates.append([_relative(new - old, old) for new, old in pairs])
    end = _activity(probe, layers, x)
    gradients = np.array(gradients)
    table = pd.DataFrame(
        {
            "units": [layer.kernel.shape[-1] for layer in layers],
            "scale": scales,
            "dead_at_start": [dead for dead, _ in start],
            "dead": [dead for dead, _ in end],
            "saturated": [saturated for _, saturated in end],
            "gradient": np.median(gradients, axis=0) if len(layers) else [],
            "update": np.median(updates, axis=0) if updates else np.full(len(layers), np.nan),
        },
        index=pd.Index([layer.name for layer in layers], name="layer"),
    )
    total = gradients.sum(axis=1) if len(layers) else np.zeros(1)
    jump = float(np.max(total) / max(np.median(total), 1e-300))
    spread = _spread(model, rows, task)
    return Inside(table, step + 1, nan_step, spread, jump, float(np.median(seconds)))


def _batches(rows, settings):
    rng = np.random.default_rng(0)
    batches = []
    for _ in range(min(_EPOCHS, settings.epochs)):
        order = rng.permutation(rows) if settings.shuffle else np.arange(rows)
        starts = range(0, rows, settings.batch_size)
        batches += [order[start : start + settings.batch_size] for start in starts]
    # The last batch of an epoch has fewer rows, for which the step would be traced once more.
    whole = [batch for batch in batches if len(batch) == len(batches[0])]
    return whole[:_STEPS]


def _probe(model, layers):
    """Return a model that gives what each layer passes on, or None where that is not known."""
    try:
        return keras.Model(model.inputs[0], [_passed_on(model, layer) for layer in layers])
    except Exception:  # a subclassed model, or a layer inside of another
        return None


def _passed_on(model, layer):
    """Return the output of a layer after the activation layers that follow it."""
    following = model.layers[model.layers.index(layer) + 1 :]
    output = layer.output
    for each in following:
        if _copies.has_kernel(each) or _copies.activation_of(each) is None:
            break
        output = each.output
    return output


def _activity(probe, layers, x):
    """Return (share of dead units, share of saturated values) for each layer."""
    if probe is None or not layers:
        return [(np.nan, np.nan)] * len(layers)
    outputs = probe(x, training=False)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return [
        _dead_and_saturated(keras.ops.convert_to_numpy(output), _copies.activation_of(layer))
        for output, layer in zip(outputs, layers, strict=True)
    ]


def _dead_and_saturated(values, activation):
    values = values.reshape(-1, values.shape[-1])
    if not np.isfinite(values).all():
        return np.nan, np.nan
    dead = float((np.ptp(values, axis=0) <= 1e-6 * (1e-6 + np.abs(values).max(axis=0))).mean())
    if activation not in _ENDS:
        return dead, np.nan
    low, high = _ENDS[activation]
    near = _NEAR * (high - low)
    return dead, float(((values < low + near) | (values > high - near)).mean())


def _scale(layer):
    kernel = layer.kernel.numpy()
    return float(kernel.std() / np.sqrt(2 / np.prod(kernel.shape[:-1])))


def _values(layer):
    weights = layer.trainable_weights or layer.weights
    return np.concatenate([w.numpy().ravel() for w in weights])


def _relative(change, weights):
    with np.errstate(over="ignore", invalid="ignore"):  # of weights on their way to infinity
        return float(np.linalg.norm(change) / max(np.linalg.norm(weights), 1e-12))


def _gradients(model, layers, x, y):
    """Return the norm of the gradient of each layer, relative to that of its weights."""
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=False))
    of_layers = [[w.value for w in layer.trainable_weights] for layer in layers]
    gradients = tape.gradient(loss, of_layers)
    return [
        _relative(
            np.concatenate([np.ravel(g) for g in of_layer if g is not None] or [np.zeros(1)]),
            _values(layer),
        )
        for of_layer, layer in zip(gradients, layers, strict=True)
    ]


def _spread(model, rows, task):
    predictions = keras.ops.convert_to_numpy(model(rows.x_held_out[:_ROWS], training=False))
    spread = float(predictions.std(axis=0).mean())
    return spread / max(float(rows.y_train.std()), 1e-300) if task.kind == "numbers" else spread
