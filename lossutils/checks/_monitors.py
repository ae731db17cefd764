"""What other callbacks of a training monitor: whether it is measured, and which end is better."""

import difflib

import keras

from lossutils.checks._findings import Finding

# Parts of the names of what is better where it is larger, and where it is smaller.
_UP = ("acc", "auc", "precision", "recall", "f1", "fbeta", "iou", "dice_coef", "psnr", "r2_score")
_DOWN = ("loss", "error", "mse", "mae", "rmse", "crossentropy")


def those_in(callbacks):
    """Return the callbacks that monitor a measure, of what `fit` was given."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = callbacks.callbacks
    return [one for one in keras.tree.flatten(callbacks) if isinstance(_monitored(one), str)]


def findings(callbacks, logs, validates):
    """Return what is wrong with the measures that callbacks monitor.

    Parameters
    ----------
    callbacks : list of keras.callbacks.Callback
        With a `monitor`.
    logs : dict of {str: float}
        What Keras has measured after an epoch, and what other callbacks have written there.
    validates : bool
        Whether `fit` was given rows to validate on.
    """
    found = [_missing(one, logs, validates) or _wrong_end(one) for one in callbacks]
    return [finding for finding in found if finding is not None]


def _monitored(callback):
    needless = isinstance(callback, keras.callbacks.ModelCheckpoint) and not callback.save_best_only
    return None if needless else getattr(callback, "monitor", None)


def _missing(callback, logs, validates):
    name = _monitored(callback)
    validated = any(key.startswith("val_") for key in logs)
    if name in logs or not logs:
        return None
    if name.startswith("val_") and not validated:
        if validates:  # not after each epoch
            return None
        fix = "pass validation_data or validation_split to fit()"
    else:
        near = difflib.get_close_matches(name, logs, n=1, cutoff=0.0)
        fix = f"monitor={near[0]!r}"
    return Finding(
        "wrong-monitor",
        "warning",
        f"{type(callback).__name__} monitors {name!r}, and measured are {', '.join(sorted(logs))}",
        fix,
    )


def _wrong_end(callback):
    name, mode = _monitored(callback), getattr(callback, "mode", None)
    known = {
        "min": any(part in name for part in _UP) and not any(part in name for part in _DOWN),
        "max": any(part in name for part in _DOWN) and not any(part in name for part in _UP),
    }
    if not known.get(mode):
        return None
    return Finding(
        "wrong-monitor",
        "warning",
        f"{type(callback).__name__} takes the {'smallest' if mode == 'min' else 'largest'} "
        f"{name!r} for the best",
        f"mode={'max' if mode == 'min' else 'min'!r}",
    )
