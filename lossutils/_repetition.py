"""A training repeated over seeds: in threads of this process, or on any executor.

A seed is one build of a model and one run of the program. What a seed gives does not depend on
where it runs, on the number of workers, or on the seeds beside it.
"""

import contextlib
import functools
import json
import os
import random
import threading
from concurrent.futures import (
    BrokenExecutor,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    as_completed,
    wait,
)
from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

import cloudpickle
import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.common import global_state
from keras.src.models.functional import Functional
from tensorflow.python.eager import context as tensorflow_context

from lossutils import _compiled
from lossutils._program import Program
from lossutils.datasets import Dataset

# Layers whose trainings XLA speeds up; convolutions are slower with it on a CPU.
_DENSE_LAYERS = (
    keras.layers.InputLayer,
    keras.layers.Dense,
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.Softmax,
    keras.layers.Dropout,
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.Normalization,
    keras.layers.Rescaling,
    keras.layers.Flatten,
)
_SMALL = 100_000

# Where Keras keeps its seed, the generator made from it, and the numbers of names.
_KERAS_STATE = ("global_random_seed", "global_seed_generator", "object_name_uids")

# The random state that a build starts from belongs to the whole process. All that Python does until
# a graph runs is under this lock: threads that fight for the interpreter lose 5 ms at each change.
_python_lock = threading.Lock()

# Seeds that an executor is given at once: few enough to share out, many enough to be worth it.
_SEEDS_PER_BLOCK = 10

# The programs compiled last, by all that their graphs depend on.
_programs = {}
_PROGRAMS_KEPT = 16

# What a thread of a worker keeps between two blocks of the same repetition.
_worker = threading.local()


@dataclass(frozen=True)
class Settings:
    """What all seeds of a repetition share."""

    data: Dataset
    epochs: int
    batch_size: int
    shuffle: bool
    weights: np.ndarray | None
    jit_compile: bool | str
    device: str
    curves: bool


class Repeater:
    """Trains a fresh model for each seed, with one program as long as the model stays the same.

    Each thread has one, with variables of its own. What is compiled is kept for other threads and
    for the next repetition, which often differs in its data only.
    """

    def __init__(self, build, settings):
        self._build = build
        self._settings = settings
        self._signature = None

    def train(self, seed):
        """Return the measures of one seed, as lists by name."""
        settings = self._settings
        try:
            with _python_lock:
                with _seeded(seed), tf.device(settings.device):
                    model = self._build()
                    _compiled.check_model(model)
                    if not model.built:
                        _compiled.call(model, settings.data.x_train[:1], training=False)
                signature = _signature(model)
                if signature is None or signature != self._signature:
                    self._program = self._compile(model, signature)
                    self._signature = signature
                else:
                    self._program.adopt(model)
                learning_rate = _compiled.constant_learning_rate(model)
            measured = self._program.run(settings.epochs, settings.shuffle, seed, learning_rate)
        except Exception as error:
            error.add_note(f"raised in the training of seed {seed}")
            raise
        if settings.curves:
            return measured
        return {name: values[-1:] for name, values in measured.items()}

    def _compile(self, model, signature):
        settings = self._settings
        jit_compile = settings.jit_compile
        if jit_compile == "auto":
            jit_compile = suits_xla(model)
        data, weights = settings.data, settings.weights
        arrays = data.x_train, data.y_train, weights, data.x_test, data.y_test
        shapes = [None if array is None else (array.shape, array.dtype.str) for array in arrays]
        batch_size, device, curves = settings.batch_size, settings.device, settings.curves
        key = signature, jit_compile, batch_size, device, *shapes
        # One that measures each epoch serves both: it is slower, but compiled already.
        like = _programs.get((*key, curves)) or _programs.get((*key, True))
        curves = like.curves if like else curves
        program = Program(model, data, batch_size, weights, jit_compile, device, curves, like)
        if signature is not None and like is None:
            if len(_programs) >= _PROGRAMS_KEPT:
                del _programs[next(iter(_programs))]
            _programs[*key, curves] = program
        return program


def in_threads(build, settings, seeds):
    """Yield lists of (seed, measures) as trainings finish in threads of this process."""
    local = threading.local()

    def train(seed):
        if not hasattr(local, "repeater"):
            local.repeater = Repeater(build, settings)
        return [(seed, local.repeater.train(seed))]

    _forget_kernels()
    futures = [_threads(_cores()).submit(train, seed) for seed in seeds]
    try:
        for done in as_completed(futures):
            yield done.result()
    finally:
        for future in futures:
            future.cancel()
        wait(futures)


@functools.cache
def _threads(number):
    """Return threads that stay, since TensorFlow takes 60 ms to set itself up in a new one."""
    return ThreadPoolExecutor(number, thread_name_prefix="lossutils")


def on_executor(executor, build, settings, seeds):
    """Yield lists of (seed, measures) as blocks of seeds finish on an executor.

    Raises
    ------
    TypeError
        If ``executor`` has no ``submit``.
    ValueError
        If it would fork this process, which TensorFlow's threads do not survive.
    RuntimeError
        If a worker died; the message names the seeds that are lost.
    """
    _check_executor(executor)
    # Pickled once, by value, so that functions of a notebook travel too.
    work = cloudpickle.dumps((build, settings))
    key, repetition = sha256(work).hexdigest(), uuid4().hex
    size = min(_SEEDS_PER_BLOCK, -(-len(seeds) // _workers(executor)))
    blocks = [seeds[start : start + size] for start in range(0, len(seeds), size)]
    missing = set(seeds)
    futures = []
    try:
        for block in blocks:  # a pool whose worker has died refuses further blocks
            futures.append(executor.submit(train_block, work, key, repetition, block))
        for done in as_completed(futures):
            results = done.result()
            missing -= {seed for seed, _ in results}
            yield results
    except Exception as error:
        if isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker":
            raise RuntimeError(
                f"a worker died, so that these seeds have no result: {sorted(missing)}. "
                "Look for a lack of memory; repeat with fewer workers or on fewer rows"
            ) from error
        raise
    finally:
        for future in futures:
            future.cancel()


def train_block(work, key, repetition, seeds):
    """Train some seeds in a worker; return a list of (seed, measures)."""
    if getattr(_worker, "key", None) != key:
        _worker.repeater = Repeater(*cloudpickle.loads(work))
        _worker.key = key
    if getattr(_worker, "repetition", None) != repetition:
        _forget_kernels()
        _worker.repetition = repetition
    return [(seed, _worker.repeater.train(seed)) for seed in seeds]


def _check_executor(executor):
    if not callable(getattr(executor, "submit", None)):
        raise TypeError(
            f"executor must be a concurrent.futures.Executor, got {executor!r}; "
            "for Dask pass client.get_executor()"
        )
    if isinstance(executor, ProcessPoolExecutor) and (
        executor._mp_context.get_start_method() != "spawn"
    ):
        raise ValueError(
            "this ProcessPoolExecutor forks, and TensorFlow does not work in a forked process: "
            'pass ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn"))'
        )


def _workers(executor):
    return getattr(executor, "_max_workers", None) or _cores()


def _cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def suits_xla(model):
    """Tell whether XLA makes repeated trainings of a model faster."""
    layers = [layer for layer in model._flatten_layers() if not isinstance(layer, keras.Model)]
    return model.count_params() <= _SMALL and all(isinstance(la, _DENSE_LAYERS) for la in layers)


def _signature(model):
    """Return text that is equal for models with the same program, or None if that is unknown."""
    if type(model) not in (keras.Sequential, Functional):
        return None
    optimizer = model.optimizer.get_config()
    if isinstance(optimizer["learning_rate"], float):
        del optimizer["learning_rate"]  # an input of the program
    parts = [
        model.get_config(),
        [type(model.optimizer), optimizer],
        [model.loss, model._compile_loss._user_loss_weights],
        _compiled.given_metrics(model),
    ]
    try:
        return json.dumps(parts, default=_described)
    except Exception:  # whatever cannot be described is compiled anew for each seed
        return None


def _described(thing):
    """Describe what JSON cannot: by its class and its attributes, or by its pickle.

    Keras pickles its objects with the date. Other things are pickled one by one, since the pickle
    of several depends on what they share.
    """
    pickled_class = cloudpickle.dumps(type(thing)).hex()
    if isinstance(thing, keras.losses.Loss):
        state = {name: value for name, value in vars(thing).items() if name != "_dtype_policy"}
        return [pickled_class, state]
    if isinstance(thing, keras.metrics.Metric):
        return [pickled_class, thing.get_config()]
    return cloudpickle.dumps(thing).hex()


@contextlib.contextmanager
def _seeded(seed):
    """Do what `keras.utils.set_random_seed` does, for the time of a build only.

    TensorFlow also empties its cache of kernels then, so that a kernel with a random state of its
    own starts anew. `repeat` does that once: its seeds differ, so that no kernel serves two.
    Names are numbered from the start, so that equal models have equal names.
    """
    context = tensorflow_context.context()
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    tensorflow = context._seed, getattr(context, "_rng", None)  # absent before a first seed
    of_keras = {name: global_state.get_global_attribute(name) for name in _KERAS_STATE}
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    context._seed, context._rng = seed, random.Random(seed)
    for name, value in zip(_KERAS_STATE, (seed, None, None), strict=True):
        global_state.set_global_attribute(name, value)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        context._seed, context._rng = tensorflow
        for name, value in of_keras.items():
            global_state.set_global_attribute(name, value)


def _forget_kernels():
    """Empty TensorFlow's cache of kernels, which is what setting a seed does besides setting it."""
    context = tensorflow_context.context()
    kept = context._seed, getattr(context, "_rng", None)
    tf.random.set_seed(0)
    context._seed, context._rng = kept
