"""What every definition does to its arguments before the formula."""

import numpy as np

EPSILON = 1e-7  # Keras's backend.epsilon(): probabilities are kept this far from 0 and 1


def numbers(name, values):
    """Return the values as a float64 array, or say what is wrong with them."""
    if isinstance(values, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array, whose mask would be lost. Pass the rows that count as "
            "plain arrays."
        )
    try:
        return np.asarray(values, dtype=np.float64)
    except NotImplementedError:  # TensorFlow's, of a tensor without a value yet
        raise TypeError(
            f"{name} is a symbolic tensor, and this definition computes with NumPy. Train with the "
            "Keras loss: compile takes its name as a string, or its class."
        ) from None
    except (TypeError, ValueError) as error:
        remedy = "Give a number, or one for each output."
        if name.startswith("y_"):
            remedy = (
                "Encode labels as numbers first, for example with "
                "sklearn.preprocessing.LabelEncoder or pandas.get_dummies."
            )
        raise TypeError(f"{name} is not an array of numbers ({error}). {remedy}") from None


def predictions(y_pred):
    """Return predictions as float64, with at least an axis of samples and one of outputs."""
    y_pred = numbers("y_pred", y_pred)
    if y_pred.ndim < 2:
        raise ValueError(
            f"y_pred has shape {y_pred.shape}, but a loss needs an axis of samples and an axis of "
            "outputs. Use y_pred.reshape(-1, 1) for one output, y_pred.reshape(1, -1) for one "
            "sample."
        )
    return y_pred


def same_shape(y_true, y_pred):
    """Return both as float64 arrays of one shape: nothing is broadcast."""
    y_true, y_pred = numbers("y_true", y_true), predictions(y_pred)
    if y_true.shape != y_pred.shape:
        if y_true.shape == y_pred.shape[:-1] and y_pred.shape[-1] == 1:
            remedy = "Use y_true[..., None]."
        elif y_true.shape in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1)):
            remedy = (
                "For integer labels use a sparse loss, or keras.utils.to_categorical(y_true, "
                f"{y_pred.shape[-1]})."
            )
        else:
            remedy = "Give a target for each output of each sample."
        raise ValueError(
            f"y_true has shape {y_true.shape}, y_pred has shape {y_pred.shape}, and this loss "
            f"needs them equal. {remedy}"
        )
    return y_true, y_pred


def labels(y_true, y_pred):
    """Return one label for each row of predictions, and the predictions as float64."""
    y_true, y_pred = numbers("y_true", y_true), predictions(y_pred)
    shape = y_pred.shape[:-1]
    if y_true.shape == (*shape, 1):
        y_true = y_true[..., 0]
    if y_true.shape != shape:
        raise ValueError(
            f"y_true has shape {y_true.shape}, y_pred has shape {y_pred.shape}, and this loss "
            f"needs one integer label for each sample: shape {shape} or {(*shape, 1)}. Turn "
            "one-hot labels into integers with y_true.argmax(axis=-1)."
        )
    return y_true, y_pred


def class_numbers(y_true, y_pred, ignore_class=None):
    """Return the labels as indices of the last axis of y_pred, which of them count, and y_pred."""
    label, y_pred = labels(y_true, y_pred)
    classes = y_pred.shape[-1]
    counted = np.ones(label.shape, dtype=bool) if ignore_class is None else label != ignore_class
    wrong = counted & ~((label >= 0) & (label < classes) & (label == np.floor(label)))
    if wrong.any():
        raise ValueError(
            f"y_true holds {label[wrong].flat[0]:g}, but y_pred of shape {y_pred.shape} has the "
            f"classes 0 to {classes - 1}. Number the classes from 0, for example with "
            "sklearn.preprocessing.LabelEncoder."
        )
    return np.where(counted, label, 0).astype(np.int64), counted, y_pred


def labels_of_a_batch(y_true, y_pred):
    """Return one label for each embedding of a batch, and the embeddings as float64."""
    label, y_pred = labels(y_true, y_pred)
    if label.ndim != 1:
        raise ValueError(
            f"y_pred has shape {y_pred.shape}, but embeddings of a batch have shape (n, d). Use "
            "y_pred.reshape(-1, y_pred.shape[-1])."
        )
    return label, y_pred


def for_each_output(name, value, y_pred):
    """Return a parameter that is one number for all outputs, or one for each."""
    value = numbers(name, value)
    if value.shape not in ((), y_pred.shape[-1:]):
        raise ValueError(
            f"{name} has shape {value.shape}, y_pred has shape {y_pred.shape}. Give one {name}, or "
            "one for each output."
        )
    return value


def in_range(name, value, low, high):
    """Refuse a parameter, one number or several, outside the closed range from low to high."""
    value = numbers(name, value)
    if not ((low <= value) & (value <= high)).all():
        raise ValueError(f"{name}={value.tolist()} is outside the range from {low:g} to {high:g}.")


def between(name, value, low, high):
    """Refuse a parameter that is not strictly between low and high."""
    if not low < numbers(name, value) < high:
        raise ValueError(f"{name}={value!r} must lie between {low:g} and {high:g}, without them.")


def one_of(name, value, choices):
    """Refuse a word that is none of the choices."""
    if value not in choices:
        raise ValueError(
            f"{name}={value!r} is unknown. Use one of {', '.join(map(repr, choices))}."
        )


def positive(name, value):
    """Refuse a parameter that is not above zero."""
    if not (numbers(name, value) > 0).all():
        raise ValueError(f"{name}={value!r} must be above 0.")


def check_axes(axis, y_pred):
    """Refuse axes that the predictions do not have."""
    if axis is not None and not np.isin(axis, np.arange(-y_pred.ndim, y_pred.ndim)).all():
        raise ValueError(
            f"axis={axis!r} is outside the {y_pred.ndim} axes of y_pred, shape {y_pred.shape}. For "
            "a loss of each image of shape (n, height, width, channels) use axis=(1, 2, 3)."
        )
