"""What a look at a model changes, and takes back: its parts, their nodes, and random states."""

import contextlib
import copy
import random

import numpy as np

from lossutils import _internals

# A model's own counters and the like are put back; frozen weights do not change.
_STATE_NUMBERS = 10_000


@contextlib.contextmanager
def unchanged(model):
    """Take back what building and calling a model adds to its layers: weights, parts, nodes."""
    kept = []
    states = [v for v in model.non_trainable_variables if np.prod(v.shape) <= _STATE_NUMBERS]
    values = [np.copy(state.numpy()) for state in states]
    for part in _internals.layers_of(model):
        for thing in (part, _internals.tracker_of(part)):
            if thing is not None:
                attributes = dict(thing.__dict__)
                kept.append((thing, attributes, _contents(attributes)))
    try:
        yield
    finally:
        for thing, attributes, contents in kept:
            thing.__dict__.clear()
            thing.__dict__.update(attributes)
            for name, content in contents.items():
                _refill(attributes[name], content)
        for state, value in zip(states, values, strict=True):
            state.assign(value)


def _contents(attributes):
    """Copy the containers among some attributes; Keras's tracker nests sets in a dict."""
    contents = {}
    for name, value in attributes.items():
        value = getattr(value, "__wrapped__", value)  # TensorFlow wraps containers
        if isinstance(value, dict):
            contents[name] = {k: set(v) if type(v) is set else v for k, v in value.items()}
        elif isinstance(value, (list, set)):
            contents[name] = copy.copy(value)
    return contents


def _refill(container, content):
    container = getattr(container, "__wrapped__", container)
    kind = next(kind for kind in (dict, list, set) if isinstance(container, kind))
    kind.clear(container)
    (kind.extend if kind is list else kind.update)(container, content)


@contextlib.contextmanager
def unchanged_random_state():
    """Leave the random state, and Keras's counters of names, as they were."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    of_keras = _internals.keras_state()
    generator = of_keras["global_seed_generator"]
    position = None if generator is None else generator.state.numpy().copy()
    counters = of_keras["object_name_uids"]
    if counters is not None:
        _internals.set_keras_state({"object_name_uids": copy.copy(counters)})
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        _internals.set_keras_state(of_keras)
        if generator is not None:
            generator.state.assign(position)
