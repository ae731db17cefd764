"""The words that Keras takes for a loss."""

import difflib
import functools

import keras


def closest_loss(name):
    """Return the name most like this one that Keras takes, or None."""
    return next(iter(difflib.get_close_matches(name, known_losses(), n=1)), None)


@functools.cache
def known_losses():
    """Return the names of functions that Keras takes for a loss, in alphabetical order."""
    return [name for name in dir(keras.losses) if name.islower() and _is_loss(name)]


def _is_loss(name):
    try:
        return callable(keras.losses.get(name))
    except (ValueError, TypeError):
        return False
