"""What tells whether the compiled program of one model also serves another.

A graph depends on more than a model's config: on the code of activations and layers that a reader
wrote, on the constants that these read or keep, on what `adapt` has learned. A description follows
all of it; what it cannot follow has no signature, and its program is not shared.
"""

import copyreg
import dis
import functools
import hashlib
import importlib
import importlib.util
import inspect
import json
import os
import random
import site
import sys
import sysconfig
import threading
import types
import warnings
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import cloudpickle
import keras
import numpy as np
import tensorflow as tf

from lossutils import _internals

# What code of a reader calls whose trace does not repeat or cannot be followed: random numbers, the
# time, files, names that are put together while it runs.
_CHANGING = {
    "random", "rand", "randn", "randint", "default_rng", "shuffle", "permutation",
    "time", "perf_counter", "monotonic", "now", "today", "environ", "getenv", "open",
    "read_text", "read_bytes", "read_csv", "load", "loadtxt", "genfromtxt", "fromfile", "memmap",
    "globals", "eval", "exec", "modules", "import_module", "__import__",
}  # fmt: skip

_PLAIN = (bool, int, float, complex, str, bytes)
_CONTAINERS = (dict, list, tuple, set, frozenset)
_CACHED = type(functools.cache(len))
_PLUMBING = (type(threading.Lock()), type(threading.RLock()), inspect.Signature)

# Attributes that Keras and TensorFlow (`_self_…`) add to objects, and that no graph reads, or that
# follow from others.
_BOOKKEEPING = {
    "build", "quantize", "_distribution_strategy", "_saved_model_arg_spec",
    "_trainable_variables_indices", "_exclude_from_weight_decay_cache",
}  # fmt: skip


_SEEDS_OF_INITIALIZERS = {"seed", "_init_seed"}


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
    metrics = _internals.metrics_of(model)
    try:
        of_metrics = [
            variable
            for metric in keras.tree.flatten(metrics)
            for variable in getattr(metric, "variables", ())
        ]
        describe = _Describer([*model.variables, *model.optimizer.variables, *of_metrics])
        parts = [
            keras.config.epsilon(),
            keras.config.floatx(),
            keras.config.image_data_format(),
            describe(model),
            describe(model.optimizer),
            _start(model.optimizer),
            describe(metrics),
            describe(_internals.losses_of(model)),
            describe(_internals.loss_weights_of(model)),
        ]
    except Exception:  # whatever cannot be described is compiled anew
        return None
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _start(optimizer):
    """Return the values that an optimizer has before it is built, without its learning rate.

    One that is built starts from its own values; another takes over those of the first model.
    """
    if optimizer.built:
        return ()
    learning_rate = _internals.learning_rate_of(optimizer)
    return [_array(v.numpy()) for v in optimizer.variables if v is not learning_rate]


def description(thing):
    """Return a nested tuple that is equal for things of the same code and state, or None."""
    try:
        return _Describer(thing.variables)(thing)
    except Exception:
        return None


class _Describer:
    """Describes things as nested tuples; one that occurs again is named by its number.

    Parameters
    ----------
    inputs : iterable of keras.Variable
        Variables whose values a program is given. From any other, a graph would read what the first
        model has.
    """

    def __init__(self, inputs=()):
        self._seen = {}  # by id, with the thing, so that no id is used twice
        self._inputs = {id(variable) for variable in inputs}

    def __call__(self, thing):
        if thing is None or type(thing) in _PLAIN:
            return type(thing).__name__, repr(thing)
        if id(thing) in self._seen:
            return "again", self._seen[id(thing)][0]
        self._seen[id(thing)] = len(self._seen), thing
        return self._new(thing)

    def _new(self, thing):
        if type(thing) is np.ndarray or isinstance(thing, np.generic):
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
            return "seed generator", self(thing.state)
        if isinstance(thing, keras.dtype_policies.DTypePolicy):
            return "dtype policy", thing.name
        if isinstance(thing, _PLUMBING):
            return ("plumbing",)
        if isinstance(thing, (*_PLAIN, *_CONTAINERS, np.ndarray)):
            return self._beyond(thing), self._content(thing)
        if isinstance(thing, functools.partial):
            return "partial", self(thing.func), self(thing.args), self(thing.keywords)
        if isinstance(thing, types.MethodType):
            return "method", self(thing.__self__), self._code(thing.__func__)
        if isinstance(thing, type) or inspect.isroutine(thing):
            return self._code(thing)
        return self._object(thing)

    def _beyond(self, thing):
        """Describe what a class derived from a number, a container or an array adds to it."""
        cls = type(thing)
        if cls in _CONTAINERS or _is_of_keras(cls):
            return cls.__name__
        state = getattr(thing, "__dict__", None), getattr(thing, "default_factory", None)
        return self._code(cls), *map(self, state)

    def _content(self, thing):
        if isinstance(thing, np.ndarray):
            return _array(np.asarray(thing))
        if isinstance(thing, dict):
            return tuple((self(key), self(value)) for key, value in dict.items(thing))
        if isinstance(thing, (list, tuple)):
            return tuple(map(self, thing))
        if isinstance(thing, (set, frozenset)):
            return tuple(sorted(map(repr, map(self, thing))))
        return next(base.__repr__(thing) for base in _PLAIN if isinstance(thing, base))

    def _code(self, thing):
        """Describe code: a library's by its name, a reader's by its value."""
        module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", "")
        if module and _is_library(module) and _found(module, name) is thing:
            return "at", module, name
        pickled = _dumps(thing, functools.partial(_Following, describe=self))
        return "code", hashlib.sha256(pickled).hexdigest()

    def _variable(self, variable):
        if id(variable) not in self._inputs:
            raise _Unknown
        kind = str(variable.shape), variable.dtype, variable.trainable
        return "variable", kind, self(variable.regularizer), self(variable.constraint)

    def _object(self, thing):
        cls = type(thing)
        if cls in (keras.Sequential, _internals.Functional):
            if "call" in vars(thing):
                raise _Unknown
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
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of lambdas, which a saved model would lack
                config = json.dumps(thing.get_config(), default=repr)
            return "model", config, self(layers), self(own)
        of_keras = _is_of_keras(cls)
        # Keras pickles its objects with the date, also those of classes derived from its own.
        derived = any(map(_is_of_keras, cls.__mro__))
        if not derived and (_is_library(cls.__module__) or not hasattr(thing, "__dict__")):
            return self._code(thing)
        if of_keras and _is_plumbing_of_keras(cls):
            return ("plumbing",)
        if any(getattr(base, "__slots__", ()) for base in cls.__mro__):
            if derived:
                raise _Unknown
            return self._code(thing)
        used = set() if of_keras else _names_used(cls)
        state = []
        for name, value in sorted(vars(thing).items()):
            if name in _BOOKKEEPING or name.startswith("_self_"):
                continue
            if isinstance(value, keras.initializers.Initializer) and name not in used:
                # It has done its work once the variables are built; without a seed of the reader's,
                # each model has another.
                if of_keras:
                    continue
                value = {k: v for k, v in vars(value).items() if k not in _SEEDS_OF_INITIALIZERS}
            state.append((name, self(value)))
        return "object", self._code(cls), tuple(state)


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
    return set() if code is None else {name for each in _all_code(code) for name in each.co_names}


def _all_code(code):
    """Yield code and that of the functions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _all_code(constant)


def _array(array):
    if array.dtype == object:
        raise _Unknown
    digest = hashlib.sha256(np.ascontiguousarray(array)).hexdigest()
    return "array", str(array.dtype), array.shape, digest


def _found(module, name):
    thing = sys.modules.get(module)
    for part in name.split("."):
        thing = getattr(thing, part, None)
    return thing


class _Following(cloudpickle.Pickler):
    """Pickles code by value, and refuses what a graph would take from the first model."""

    def __init__(self, file, describe):
        super().__init__(file)
        self._describe = describe

    def reducer_override(self, thing):
        if isinstance(thing, (tf.Variable, np.random.Generator, np.random.RandomState)):
            raise _Unknown
        if isinstance(thing, random.Random) or thing is sys.modules["__main__"]:
            raise _Unknown
        if isinstance(thing, tf.Tensor):
            return np.array, (thing.numpy(),)
        if isinstance(thing, _CACHED):  # pickled by its name otherwise
            return functools.lru_cache, (thing.__wrapped__,)
        # Keras pickles objects of its own classes and of those derived from them by their config.
        if not isinstance(thing, type) and any(map(_is_of_keras, type(thing).__mro__)):
            return str, (repr(self._describe(thing)),)
        if isinstance(thing, types.FunctionType) and not _is_library(thing.__module__ or ""):
            return self._function(thing)
        return super().reducer_override(thing)

    def _function(self, function):
        """Pickle a reader's function with the modules of a reader that it imports."""
        if _names_in(function.__code__) & _CHANGING:
            raise _Unknown
        reduced = super().reducer_override(function)
        modules = _imported_in(function)
        if not modules or not isinstance(reduced, tuple):
            return reduced
        make, arguments, state, *rest = reduced
        return make, arguments, (state, modules), *rest


def _imported_in(function):
    """Return the modules, other than a library's, that a function imports when it runs."""
    package = function.__globals__.get("__package__") or ""
    modules = []
    for code in _all_code(function.__code__):
        instructions = [i for i in dis.get_instructions(code) if i.opname != "EXTENDED_ARG"]
        for i, instruction in enumerate(instructions):
            if instruction.opname != "IMPORT_NAME":
                continue
            level = instructions[i - 2].argval
            name = importlib.util.resolve_name("." * level + instruction.argval, package)
            if not _is_library(name):
                modules.append(importlib.import_module(name))
    if modules:
        _register_readers_modules()  # also those that were not imported yet
    return modules


def dumps_by_value(thing):
    """Pickle with the code of all modules that are no library, so that an edit travels too."""
    try:
        return _dumps(thing, _Pickler)
    except _Incomplete:
        raise
    except Exception:  # a module may hold what cannot be pickled; by name it need not be
        return cloudpickle.dumps(thing)


class _Incomplete(ValueError):
    """Raised where Keras would send less of an object than it is."""


class _Pickler(cloudpickle.Pickler):
    def reducer_override(self, thing):
        """Take a loss of a reader's class as it is: Keras would look the class up by its name."""
        cls = type(thing)
        if _is_library(cls.__module__):
            return super().reducer_override(thing)
        if isinstance(thing, keras.losses.Loss):
            return copyreg.__newobj__, (cls,), thing.__dict__
        if isinstance(thing, (keras.layers.Layer, keras.metrics.Metric, keras.Optimizer)):
            own = [base for base in cls.__mro__ if not _is_library(base.__module__)]
            made = any("__init__" in vars(base) for base in own)
            told = any("get_config" in vars(base) for base in own)
            here = (
                cls.__module__ == "__main__" or _found(cls.__module__, cls.__qualname__) is not cls
            )
            if here or (made and not told):
                raise _Incomplete(
                    f"{cls.__name__} is an object that was made outside of build, of which Keras "
                    "sends only the config to an executor: make it inside of build"
                )
        return super().reducer_override(thing)


def _dumps(thing, pickler):
    file = BytesIO()
    with _readers_modules_by_value():
        pickler(file).dump(thing)
    return file.getvalue()


@contextmanager
def _readers_modules_by_value():
    registered = cloudpickle.list_registry_pickle_by_value()
    _register_readers_modules()
    try:
        yield
    finally:
        for name in cloudpickle.list_registry_pickle_by_value() - registered:
            cloudpickle.unregister_pickle_by_value(sys.modules[name])


def _register_readers_modules():
    registered = cloudpickle.list_registry_pickle_by_value()
    for name in _readers_modules(tuple(sys.modules)):
        module = sys.modules.get(name)
        if (
            name not in registered
            and isinstance(module, types.ModuleType)
            and module.__name__ == name
        ):
            cloudpickle.register_pickle_by_value(module)


@functools.lru_cache(maxsize=1)
def _readers_modules(imported):
    """Return which of thousands of names are no library's; most calls ask for the same."""
    return [name for name in imported if name != "__main__" and not _is_library(name)]


def _is_library(module):
    return _is_library_package(module.partition(".")[0])


@functools.cache
def _is_library_package(name):
    """Tell whether a package is installed or Python's own, and not edited while it is used."""
    if name in ("lossutils", "keras", "tensorflow"):
        return True
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None:
        return name in sys.stdlib_module_names and name != "__main__"
    # A reader's file may have the name of a module of Python, such as test.py or code.py.
    return any(folder in Path(file).resolve().parents for folder in _library_folders())


@functools.cache
def _library_folders():
    paths = sysconfig.get_paths()
    folders = [paths["purelib"], paths["platlib"], paths["stdlib"], Path(os.__file__).parent]
    folders.append(site.getusersitepackages())
    return [Path(folder).resolve() for folder in [*folders, *site.getsitepackages()]]
