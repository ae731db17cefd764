"""A training repeated over seeds: in threads of this process, or on any executor.

A seed is one build of a model, on data that all seeds share or on a draw of its own. What a seed
gives does not depend on where it runs, on the number of workers, or on the seeds beside it.
"""

import contextlib
import functools
import os
import random
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import (
    BrokenExecutor,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    as_completed,
    wait,
)
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import uuid4

import cloudpickle
import keras
import numpy as np
import tensorflow as tf

from lossutils import _internals
from lossutils.datasets import Dataset
from lossutils.training import _arguments, _compiled, _rows
from lossutils.training._choice import Choice
from lossutils.training._program import NoXla, Program
from lossutils.training._signature import dumps_by_value, signature

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
    keras.layers.UnitNormalization,
    keras.layers.Normalization,
    keras.layers.Rescaling,
    keras.layers.Flatten,
    keras.layers.Concatenate,
    keras.layers.Add,
)
_SMALL = 100_000

# The random state that a build starts from belongs to the whole process. All that Python does until
# a graph runs is under this lock: threads that fight for the interpreter lose 5 ms at each change.
_python_lock = threading.Lock()

# Says whether this thread runs a build or a draw, which must not wait for the lock once more.
_inside = threading.local()

# Variables of models that programs train, by id: a build that returns them again, and not as they
# were, gives no new model.
_trained = weakref.WeakValueDictionary()

# Seeds that an executor is given at once: few enough to share out, many enough to be worth it.
_SEEDS_PER_BLOCK = 10

# The programs compiled last, by all that their graphs depend on.
_programs = {}
_PROGRAMS_KEPT = 16

# What a thread of a worker keeps between two blocks of the same repetition.
_worker = threading.local()


_ARRAYS = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True)
class Settings:
    """What all seeds of a repetition share."""

    data: Dataset | Callable
    epochs: int
    batch_size: int
    shuffle: bool
    class_weight: dict | None
    sample_weight: np.ndarray | dict | list | Callable | None
    jit_compile: bool | str
    device: str
    curves: bool
    choice: Choice | None


@dataclass
class Repetition:
    """What the threads of one repetition share."""

    first_draw: tuple | None = None  # its seed and the shapes of its arrays
    repeaters: list = field(default_factory=list)
    xla: bool = True  # whether it has not failed yet
    stopped: threading.Event = field(default_factory=threading.Event)


class Stopped(Exception):
    """Raised in a training whose repetition has ended."""


class Repeater:
    """Trains a fresh model for each seed, with one program as long as the model stays the same.

    Each thread has one, with variables of its own. What is compiled is kept for other threads and
    for the next repetition, which often differs in its data only.
    """

    def __init__(self, build, settings, repetition=None):
        self._build = build
        self._settings = settings
        self._repetition = Repetition() if repetition is None else repetition
        self._repetition.repeaters.append(self)
        self._signature = None
        self._programs = {}
        self._parts = None  # of data that all seeds share

    def train(self, seed):
        """Return a list of what the trainings of one seed gave: pairs of settings and measures."""
        settings = self._settings
        try:
            with _python_lock:
                parts = self._parts or self._make_parts(seed)
                with _seeded(seed), tf.device(settings.device):
                    model = self._new_model(parts[-1].data)
                    programs = self._programs_for(model, parts)
                    state = self._initial_state(model, programs[0])
                rate = _compiled.constant_learning_rate(model)

            def run(number, learning_rate=rate, epochs=settings.epochs):
                programs[number].reset(state)
                part = parts[number]
                return programs[number].run(
                    part.data,
                    part.weights,
                    epochs,
                    settings.shuffle,
                    seed,
                    learning_rate,
                    self._go_on,
                )

            if settings.choice is None:
                outcomes = [({}, run(-1))]
            else:
                outcomes = settings.choice.outcomes(run, programs[0], rate, settings.epochs)
        except NoXla as error:
            if settings.jit_compile != "auto":
                error.add_note(f"raised in the training of seed {seed}")
                raise
            self._repetition.xla, self._programs, self._signature = False, {}, None
            return self.train(seed)
        except Exception as error:
            error.add_note(f"raised in the training of seed {seed}")
            raise
        if settings.curves:
            return outcomes
        return [
            (chosen, {name: values[-1:] for name, values in measured.items()})
            for chosen, measured in outcomes
        ]

    def release(self):
        """Forget the data, which a program that is kept for others must not hold."""
        for program in self._programs.values():
            program.release()

    def _go_on(self, *_):
        if self._repetition.stopped.is_set():
            raise Stopped

    def _make_parts(self, seed):
        """Return what a seed trains on: rows to choose on, where it does, and all rows."""
        settings = self._settings
        drawn = not isinstance(settings.data, Dataset)
        data = self._draw(seed) if drawn else settings.data
        with _seeded(seed), _building():
            weights = _arguments.row_weights(data, settings.class_weight, settings.sample_weight)
        whole = _Part(data, weights, settings.curves, test_rows_only=False)
        if settings.choice is None or not settings.choice.validates:
            parts = [whole]
        else:
            held_out = settings.choice.held_out(data, weights, seed)
            parts = [_Part(*held_out, settings.choice.early_stopping, test_rows_only=True), whole]
        if len(parts) == 1 and not drawn:
            self._parts = parts
        return parts

    def _draw(self, seed):
        with _seeded(seed), _building():
            data = self._settings.data(seed)
        _arguments.check_data(data, f"draw({seed})")
        shapes = [_rows.apply(np.shape, getattr(data, name)) for name in _ARRAYS]
        if self._repetition.first_draw is None:
            self._repetition.first_draw = seed, shapes
        first, expected = self._repetition.first_draw
        if shapes != expected:
            raise ValueError(
                f"the arrays of draw({seed}) have the shapes {shapes}, those of draw({first}) "
                f"{expected}: give each draw the same number of rows and columns"
            )
        return data

    def _new_model(self, data):
        with _building():
            model = self._build()
        _compiled.check_model(model)
        _compiled.build(model, data.x_train)
        if _has_changed(model, data):
            raise ValueError(
                "build returned variables that another training of this kind has changed: a model "
                "or a layer, such as Dropout, made outside of build. Make all that a training "
                "changes inside of build"
            )
        return model

    def _programs_for(self, model, parts):
        mark = signature(model)
        if mark is None or mark != self._signature:
            self._programs = {}
            self._signature = mark
        keys = [part.key for part in parts]
        for key, part in zip(keys, parts, strict=True):
            if key not in self._programs:
                self._programs[key] = self._compile(model, part, mark)
        if not all(self._programs[key].shareable for key in keys):
            self._signature = None
        return [self._programs[key] for key in keys]

    def _initial_state(self, model, program):
        """Return what a model starts from, as values of the variables of an equal program."""
        if program.model is model:
            return program.state()
        optimizer = model.optimizer
        if program.optimizer_start is not None and not optimizer.built:
            return [*(v.value for v in model.variables), *program.optimizer_start]
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        return [v.value for v in (*model.variables, *optimizer.variables)]

    def _compile(self, model, part, mark):
        settings = self._settings
        jit_compile = settings.jit_compile
        if jit_compile == "auto":
            jit_compile = mark is not None and self._repetition.xla and suits_xla(model)
        batch_size, device, curves = settings.batch_size, settings.device, part.curves
        key = mark, jit_compile, batch_size, device, *part.key[1:]
        # One that measures each epoch serves both: it is slower, but compiled already.
        like = _programs.get((*key, curves)) or _programs.get((*key, True))
        curves = like.curves if like else curves
        program = Program(
            model,
            part.data,
            batch_size,
            jit_compile,
            device,
            curves,
            part.test_rows_only,
            like,
        )
        program.prepare(part.data, part.weights)
        _trained.update((id(v), v) for v in model.variables)
        if mark is not None and like is None and program.shareable:
            if len(_programs) >= _PROGRAMS_KEPT:
                del _programs[next(iter(_programs))]
            _programs[*key, curves] = program
        return program


def _has_changed(model, data):
    """Tell whether an earlier training of this process has changed a part of a new model."""
    shared = {id(v) for v in model.variables if _trained.get(id(v)) is v}
    if not shared:
        return False
    if not shared.isdisjoint(map(id, model.trainable_variables)):
        return True
    # A frozen layer may be shared, but no moving average and no random numbers of a training.
    row = _compiled.first_row(data.x_train)
    _, moved = _compiled.called_without_effect(model, row, training=True)
    return not shared.isdisjoint(map(id, moved))


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows to train and to measure on."""

    data: Dataset
    weights: np.ndarray | dict | tuple | None
    curves: bool
    test_rows_only: bool

    @functools.cached_property
    def key(self):
        """What distinguishes the graphs for different rows of one repetition."""
        shapes = tuple(_rows.layout(getattr(self.data, name)) for name in _ARRAYS)
        return self.curves, self.test_rows_only, _rows.layout(self.weights), shapes


def in_threads(build, settings, seeds):
    """Yield lists of (seed, outcomes) as trainings finish in threads of this process."""
    _check_not_inside()
    repetition = Repetition()
    local = threading.local()

    def train(seed):
        if not hasattr(local, "repeater"):
            local.repeater = Repeater(build, settings, repetition)
        return [(seed, local.repeater.train(seed))]

    _forget_kernels()
    futures = [_threads(_cores()).submit(train, seed) for seed in seeds]
    try:
        for done in as_completed(futures):
            yield done.result()
    finally:
        repetition.stopped.set()
        for future in futures:
            future.cancel()
        wait(futures)
        for repeater in repetition.repeaters:
            repeater.release()


@functools.cache
def _threads(number):
    """Return threads that stay, since TensorFlow takes 60 ms to set itself up in a new one."""
    return ThreadPoolExecutor(number, thread_name_prefix="lossutils")


def on_executor(executor, build, settings, seeds):
    """Yield lists of (seed, outcomes) as blocks of seeds finish on an executor.

    Raises
    ------
    TypeError
        If ``executor`` has no ``submit``.
    ValueError
        If it would fork this process, which TensorFlow's threads do not survive.
    RuntimeError
        If a worker died; the message names the seeds that are lost.
    """
    _check_not_inside()
    _check_executor(executor)
    # Pickled once, by value, so that functions of a notebook travel too.
    work = dumps_by_value((build, settings))
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
                "Look for a lack of memory: repeat with fewer workers or on fewer rows. In a "
                'script, put the call below `if __name__ == "__main__":`, since each process '
                "reads the script anew"
            ) from error
        raise
    finally:
        for future in futures:
            future.cancel()


def train_block(work, key, repetition, seeds):
    """Train some seeds in a worker; return a list of (seed, outcomes)."""
    if getattr(_worker, "key", None) != key:
        _worker.repeater = Repeater(*cloudpickle.loads(work))
        _worker.key = key
    if getattr(_worker, "repetition", None) != repetition:
        _forget_kernels()
        _worker.repetition = repetition
    return [(seed, _worker.repeater.train(seed)) for seed in seeds]


def _check_executor(executor):
    if not callable(getattr(executor, "submit", None)) or hasattr(executor, "get_executor"):
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
    layers = [la for la in _internals.layers_of(model) if not isinstance(la, keras.Model)]
    return model.count_params() <= _SMALL and all(isinstance(la, _DENSE_LAYERS) for la in layers)


def _check_not_inside():
    if getattr(_inside, "active", False):
        raise RuntimeError(
            "training.repeat cannot run inside of build or draw of another repetition, which "
            "would wait for itself: use training.fit there, or repeat before"
        )


@contextlib.contextmanager
def _building():
    _inside.active = True
    try:
        yield
    finally:
        _inside.active = False


@contextlib.contextmanager
def _seeded(seed):
    """Do what `keras.utils.set_random_seed` does, for a time.

    TensorFlow also empties its cache of kernels then, so that a kernel with a random state of its
    own starts anew. `repeat` does that once: its seeds differ, so that no kernel serves two.
    Names are numbered from the start, so that equal models have equal names.
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        with _internals.seeded(seed):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def _forget_kernels():
    """Empty TensorFlow's cache of kernels, which is what setting a seed does besides setting it."""
    with _internals.tensorflow_seed_kept():
        tf.random.set_seed(0)
