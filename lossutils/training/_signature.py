"""What tells whether the compiled program of one model also serves another.

A graph depends on more than a model's config: on the code of activations and layers that a reader
wrote, on the constants that these read or keep, on what `adapt` has learned. A description follows
all of it; what it cannot follow has no signature, and its program is not shared.
"""

import copyreg
import functools
import hashlib
import inspect
import json
import random
import site
import sys
import sysconfig
import threading
import types
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import cloudpickle
import keras
import numpy as np
import tensorflow as tf

from lossutils import _internals

# What code of a reader calls whose trace does not repeat: random numbers, the time, files.
_CHANGING = {
    "random", "rand", "randn", "randint", "default_rng", "shuffle", "permutation",
    "time", "perf_counter", "monotonic", "now", "today", "environ", "getenv", "open",
}  # fmt: skip

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_PLUMBING = (type(threading.Lock()), type(threading.RLock()), inspect.Signature)

# Attributes that Keras and TensorFlow (`_self_…`) add to objects, and that no graph reads.
_BOOKKEEPING = {"build", "quantize", "_distribution_strategy", "_saved_model_arg_spec"}


class _Unknown(Exception):
    """A thing whose effect on the graph cannot be told."""


def signature(model):
    """Return what is equal for two models only if one compiled program serves both.

    Parameters
    ----------
    model : keras.Model
        A compiled model. What the program takes as input does not count: values of variables, a
        constant learning rate.

    Returns
    -------
    str or None
        None where nothing can be said: subclassed models, code that draws random numbers, objects
        that cannot be followed.
    """
    if type(model) not in (keras.Sequential, _internals.Functional):
        return None
    describe = _Describer()
    try:
        parts = [
            keras.config.epsilon(),
            keras.config.floatx(),
            keras.config.image_data_format(),
            describe(model),
            describe(model.optimizer),
            describe(_internals.metrics_of(model)),
        ]
        describe.all_variables_are_inputs = True
        parts += [describe(model.loss), describe(_internals.loss_weights_of(model))]
    except Exception:  # whatever cannot be described is compiled anew
        return None
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def description(thing):
    """Return a nested tuple that is equal for things of the same code and state, or None."""
    try:
        return _Describer()(thing)
    except Exception:
        return None


class _Describer:
    """Describes things as nested tuples; one that occurs again is named by its number."""

    def __init__(self):
        self._seen = {}  # by id, with the thing, so that no id is used twice
        self.all_variables_are_inputs = False

    def __call__(self, thing):
        if isinstance(thing, _PLAIN):
            return type(thing).__name__, repr(thing)
        if id(thing) in self._seen:
            return "again", self._seen[id(thing)][0]
        self._seen[id(thing)] = len(self._seen), thing
        return self._new(thing)

    def _new(self, thing):
        if isinstance(thing, (np.ndarray, np.generic)):
            return _array(np.asarray(thing))
        if isinstance(thing, keras.Variable):
            return self._variable(thing)
        if isinstance(thing, tf.Variable):
            raise _Unknown  # the graph would read the first model's
        if isinstance(thing, tf.Tensor):
            return _array(thing.numpy())
        if isinstance(thing, keras.KerasTensor):
            return "symbolic", str(thing.shape), thing.dtype
        if isinstance(thing, keras.random.SeedGenerator):
            return ("seed generator",)  # its state is one of the model's variables
        if isinstance(thing, keras.dtype_policies.DTypePolicy):
            return "dtype policy", thing.name
        if isinstance(thing, _PLUMBING):
            return ("plumbing",)
        if isinstance(thing, dict):
            return "dict", tuple((self(key), self(value)) for key, value in thing.items())
        if isinstance(thing, (list, tuple)):
            return "list", tuple(map(self, thing))
        if isinstance(thing, (set, frozenset)):
            return "set", tuple(sorted(map(repr, map(self, thing))))
        if isinstance(thing, functools.partial):
            return "partial", self(thing.func), self(thing.args), self(thing.keywords)
        if isinstance(thing, types.MethodType):
            return "method", self(thing.__self__), _code(thing.__func__)
        if isinstance(thing, type) or inspect.isroutine(thing):
            return _code(thing)
        return self._object(thing)

    def _variable(self, variable):
        if self.all_variables_are_inputs:
            raise _Unknown  # a new one, of a loss or its weight: the graph would read the first's
        kind = str(variable.shape), variable.dtype, variable.trainable
        return "variable", kind, self(variable.regularizer), self(variable.constraint)

    def _object(self, thing):
        cls = type(thing)
        if cls in (keras.Sequential, _internals.Functional):
            layers = [
                layer
                for layer in _internals.layers_of(thing, include_self=False)
                if type(layer) not in (keras.Sequential, _internals.Functional)
            ]
            # Operations of Keras stand in the config; the code of a reader's own does not.
            own = [
                operation
                for operation in getattr(thing, "operations", [])
                if not isinstance(operation, keras.layers.Layer)
                and not _is_of_keras(type(operation))
            ]
            config = json.dumps(thing.get_config(), default=repr)
            return "model", config, self(layers), self(own)
        of_keras = _is_of_keras(cls)
        # Keras pickles its objects with the date, also those of classes derived from its own.
        derived = any(map(_is_of_keras, cls.__mro__))
        if not derived and (_is_library(cls.__module__) or not hasattr(thing, "__dict__")):
            return _code(thing)
        if of_keras and _is_plumbing_of_keras(cls):
            return ("plumbing",)
        used = None if of_keras else _names_used(cls)
        state = tuple(
            (name, self(value))
            for name, value in sorted(vars(thing).items())
            if not (name in _BOOKKEEPING or name.startswith("_self_"))
            and not (isinstance(value, keras.initializers.Initializer) and _is_idle(name, used))
        )
        return "object", _code(cls), state


def _is_of_keras(cls):
    return cls.__module__.split(".")[0] == "keras"


def _is_plumbing_of_keras(cls):
    """Tell whether objects of a class only keep books: nodes, trackers, configs."""
    return cls.__module__ in (
        "keras.src.ops.node",
        "keras.src.utils.tracking",
        "keras.src.saving.serialization_lib",
        "keras.src.layers.layer",  # specs of calls; a layer is of a subclass elsewhere
    )


def _is_idle(name, used):
    """Tell whether an initializer has done its work once the variables are built."""
    return used is None or name not in used


def _names_used(cls):
    """Return the names in the code of a reader's class, less what only runs before the graph."""
    names = set()
    for base in cls.__mro__:
        if _is_library(base.__module__):
            continue
        for name, member in vars(base).items():
            if name not in ("__init__", "build", "get_config", "from_config"):
                names |= _names_in(getattr(member, "__code__", None))
    return names


def _names_in(code):
    if code is None:
        return set()
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names_in(constant)
    return names


def _array(array):
    if array.dtype == object:
        raise _Unknown
    digest = hashlib.sha256(np.ascontiguousarray(array)).hexdigest()
    return "array", array.dtype.str, array.shape, digest


def _code(thing):
    """Describe code: a library's by its name, a reader's by its value."""
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", "")
    if module and _is_library(module) and _found(module, name) is thing:
        return "at", module, name
    return "code", hashlib.sha256(_dumps(thing, _Following)).hexdigest()


def _found(module, name):
    thing = sys.modules.get(module)
    for part in name.split("."):
        thing = getattr(thing, part, None)
    return thing


class _Following(cloudpickle.Pickler):
    """Pickles code by value, and refuses what a graph would take from the first model."""

    def reducer_override(self, thing):
        if isinstance(thing, (tf.Variable, keras.Variable, keras.layers.Layer)):
            raise _Unknown
        if isinstance(thing, (np.random.Generator, np.random.RandomState, random.Random)):
            raise _Unknown
        of_reader = isinstance(thing, types.FunctionType) and not _is_library(
            thing.__module__ or ""
        )
        if of_reader and _names_in(thing.__code__) & _CHANGING:
            raise _Unknown
        if isinstance(thing, tf.Tensor):
            return np.array, (thing.numpy(),)
        return super().reducer_override(thing)


def _may_change(function):
    """Tell whether a reader's function may give another graph each time it is traced."""
    of_library = _is_library(function.__module__ or "")
    return not of_library and bool(_names_in(function.__code__) & _CHANGING)


def dumps_by_value(thing):
    """Pickle with the code of all modules that are no library, so that an edit travels too."""
    try:
        return _dumps(thing, _Pickler)
    except Exception:  # a module may hold what cannot be pickled; by name it need not be
        return cloudpickle.dumps(thing)


class _Pickler(cloudpickle.Pickler):
    def reducer_override(self, thing):
        """Take a loss of a reader's class as it is: Keras would look the class up by its name."""
        if isinstance(thing, keras.losses.Loss) and not _is_library(type(thing).__module__):
            return copyreg.__newobj__, (type(thing),), thing.__dict__
        return super().reducer_override(thing)


def _dumps(thing, pickler):
    file = BytesIO()
    with _readers_modules_by_value():
        pickler(file).dump(thing)
    return file.getvalue()


@contextmanager
def _readers_modules_by_value():
    registered = cloudpickle.list_registry_pickle_by_value()
    added = [
        module
        for name, module in list(sys.modules.items())
        if name not in registered
        and isinstance(module, types.ModuleType)
        and module.__name__ == name
        and not _is_library(name)
        and name != "__main__"
    ]
    for module in added:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in added:
            cloudpickle.unregister_pickle_by_value(module)


def _is_library(module):
    return _is_library_package(module.partition(".")[0])


@functools.cache
def _is_library_package(name):
    """Tell whether a package is installed or Python's own, and not edited while it is used."""
    if name in sys.stdlib_module_names and name != "__main__":
        return True
    if name in ("lossutils", "keras", "tensorflow"):
        return True
    file = getattr(sys.modules.get(name), "__file__", None)
    return file is not None and any(
        folder in Path(file).resolve().parents for folder in _library_folders()
    )


@functools.cache
def _library_folders():
    paths = sysconfig.get_paths()
    folders = [paths["purelib"], paths["platlib"], paths["stdlib"], site.getusersitepackages()]
    return [Path(folder).resolve() for folder in [*folders, *site.getsitepackages()]]
