"""Data sets, losses, small models, compiled training, checks and figures for one book.

Importing the package loads TensorFlow without its start-up messages, which carry time stamps and
process numbers and would otherwise end up in the stored output of a notebook. Import it before
``keras`` or ``tensorflow``.
"""

import importlib.util
import os
import sys
import tempfile

__version__ = "0.1.0"


def _start_tensorflow():
    """Import TensorFlow and run the first operations, which write to standard error."""
    import tensorflow as tf

    tf.constant(0.0) + 0.0
    if tuple(map(int, tf.__version__.split(".")[:2])) < (2, 21):
        # It also says once that it compiled a program with XLA.
        tf.function(lambda x: x + 0.0, jit_compile=True)(tf.constant(0.0))


def _load_tensorflow_quietly():
    """Start TensorFlow with standard error set aside.

    Part of the messages comes from C++ before any logging level is read, so that only the file
    descriptor itself can be redirected. If the import fails, what was written is shown after all.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # no standard error, as in a program without a console
        _start_tensorflow()
        return
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            _start_tensorflow()
        except BaseException:
            messages.seek(0)
            os.write(kept, messages.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


if "tensorflow" not in sys.modules and importlib.util.find_spec("tensorflow"):
    _load_tensorflow_quietly()
