"""Rules on learning rates and their schedules."""

import keras
from keras import layers

from lossutils import _internals
from lossutils.checks._findings import rule

RULES = {}

# Above these a learning rate leaves every minimum, and below the last it does not move.
_LARGEST = {"SGD": 10.0, "Adam": 1.0, "AdamW": 1.0, "Nadam": 1.0, "Adamax": 1.0, "RMSprop": 1.0}
_SMALLEST = 1e-8

# With so many layers of relu, less is too large: as measured on 20 tables, and on 5.
_LARGEST_DEEP = {4: 0.1, 3: 0.5}

# Steps after which a learning rate has to be there still; with fewer rows these are many epochs.
_GONE_AFTER, _FEW_ROWS = 100, 300

# What is left of a learning rate that is gone.
_GONE = 1e-3

# Larger batches are rare, so an epoch has at least one step for so many rows.
_LARGEST_BATCH = 256

# Steps, by clipped gradients, that move nothing; and the share of a weight that a step may take.
_SHORTEST = 1e-5
_LOST, _HUGE_DECAY = 0.1, 100

_NORMALIZERS = (layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization)
_WITH_KERNEL = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D)


@rule(RULES, "learning-rate", "warning", "A learning rate that cannot work")
def learning_rate(setup):
    """
    Adam and its relatives move every weight by about the learning rate in each step, so 1 and above
    leave every minimum. In a network of several hidden layers 0.1 does: the step of each layer
    multiplies that of the others. A rate of zero, or far below any weight, does not move at all. A
    schedule counts steps, and each batch is one: decay_steps=20 is over within the first epoch.
    Gradients that are cut to a norm of 0.00001 make steps of SGD as small, and a weight_decay of 10
    takes so much of every weight in each step that nothing is left to learn with.
    """
    rate, optimizer = setup.learning_rate, setup.optimizer
    yield from _of_schedule(setup)
    if rate is None or optimizer is None:
        return
    yield from _of_clipped_steps(setup)
    yield from _of_decaying_weights(optimizer, rate)
    kind = type(optimizer).__name__
    largest = _LARGEST.get(kind)
    if largest == 1.0:
        relus = _relus(setup)
        largest = next((rate for n, rate in _LARGEST_DEEP.items() if relus >= n), largest)
    if rate < _SMALLEST or (largest is not None and rate >= largest):
        usual = "0.01" if kind == "SGD" else "0.001"
        yield f"{kind} has the learning rate {rate:g}", f"start from {usual}"


def _of_clipped_steps(setup):
    """Look for gradients that are cut to hardly anything; Adam makes steps of its own size."""
    optimizer = setup.optimizer
    if setup.adaptive or setup.learning_rate < _SMALLEST:
        return
    for name in ("clipnorm", "global_clipnorm", "clipvalue"):
        clip = getattr(optimizer, name, None)
        step = (clip or 0) * setup.learning_rate / (1 - min(0.99, optimizer.momentum or 0))
        if clip and step < _SHORTEST:
            what = "no weight moves" if name == "clipvalue" else "the weights move"
            yield (
                f"{name}={clip:g} and the learning rate {setup.learning_rate:g}: {what} by more "
                f"than {step:.1g} in a step",
                f"{name}=1.0, which cuts off what is unusual only",
            )


def _of_decaying_weights(optimizer, rate):
    """Look for weights that lose a large share of themselves in each step."""
    decay = getattr(optimizer, "weight_decay", None) or 0
    if rate * decay >= _LOST or (decay >= _HUGE_DECAY and rate >= _SMALLEST):
        yield (
            f"weight_decay={decay:g} and the learning rate {rate:g}: each step takes "
            f"{min(1, rate * decay):.2g} of every weight away",
            "weight_decay=0.01, or less",
        )


def _of_schedule(setup):
    """Look for a schedule whose rate is gone before the first epoch is over, or was never there."""
    schedule = setup.optimizer and _internals.learning_rate_of(setup.optimizer)
    if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        return
    if type(schedule).__module__.startswith("keras."):
        highest = max(float(schedule(step)) for step in (0, 10, 100, 1000, 10_000))
        if highest < _SMALLEST:
            yield (
                f"{type(schedule).__name__} gives the learning rate {highest:g} at most",
                "start from 0.001, and from 0.01 with SGD",
            )
            return
    kinds, rows = keras.optimizers.schedules, None if setup.partial else setup.rows
    if isinstance(schedule, (kinds.ExponentialDecay, kinds.InverseTimeDecay)):
        steps = _GONE_AFTER if rows is None or rows >= _FEW_ROWS else None
    elif isinstance(schedule, (kinds.CosineDecay, kinds.PolynomialDecay)):
        ends = schedule.decay_steps + (getattr(schedule, "warmup_steps", 0) or 0)
        over = rows is not None and ends <= rows // _LARGEST_BATCH
        steps = ends if over and not getattr(schedule, "cycle", False) else None
    else:
        return
    if not steps:
        return
    first, last = (max(float(schedule(step)) for step in at) for at in ((0, steps // 2), (steps,)))
    if last < _GONE * first:
        of_an_epoch = f"; an epoch has {-(-rows // 32):,} in batches of 32" if rows else ""
        yield (
            f"{type(schedule).__name__} goes from {first:.3g} to {last:.2g} within {steps} steps"
            + of_an_epoch,
            "decay_steps = number of epochs * (len(x) // batch_size)",
        )


def _relus(setup):
    """Count the layers with a relu, of a network in which nothing normalizes."""
    if any(isinstance(layer, _NORMALIZERS) for layer in setup.layers):
        return 0
    relu = keras.activations.relu
    return sum(isinstance(la, _WITH_KERNEL) and la.activation is relu for la in setup.chain)
