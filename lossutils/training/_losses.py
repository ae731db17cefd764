"""What a model is compiled to minimize: a loss for each output, resolved and checked.

Keras resolves names such as ``"crossentropy"`` at the first batch, and computes what was given by
name in ``floatx``, whatever the precision of the model. Here both follow the model.
"""

from dataclasses import dataclass

import keras
import tensorflow as tf

from lossutils import _internals
from lossutils.losses._names import closest_loss, known_losses

_LABEL_VECTOR = {"CategoricalGeneralizedCrossEntropy", "Circle"}  # labels of shape (n,)
_LABELS = {"SparseCategoricalCrossentropy", "CTC"} | _LABEL_VECTOR
_OVER_THE_BATCH = {"Dice", "Tversky", "Circle"}


class NotComputed(ValueError):
    """Raised where a loss of the reader's own cannot be computed."""


class Losses:
    """All that a model is compiled to minimize, but for what its layers add.

    Parameters
    ----------
    model : keras.Model
        A compiled model.
    y, y_pred : tensor, or dict or tuple of tensors
        Targets and predictions of some rows.
    precision : str
        The dtype to compute in.

    Attributes
    ----------
    terms : list of Term
        What is added up.
    names : list of str
        What Keras calls the terms in its history, ``"price_loss"``, where there are several.

    Raises
    ------
    ValueError
        If targets, outputs and what was given to `compile` do not fit, or for a loss that cannot
        be computed.
    """

    def __init__(self, model, y, y_pred, precision):
        self.terms = _terms(model, y, y_pred, precision)
        self.names = [f"{term.name}_loss" for term in self.terms] if len(self.terms) > 1 else []

    def values(self, y, y_pred, weights=None):
        """Compute each term, without its weight, of one batch.

        ``weights`` has the structure of ``y``, with None for targets that have none.
        """
        y, y_pred = keras.tree.flatten(y), keras.tree.flatten(y_pred)
        weights = [None] * len(y) if weights is None else keras.tree.flatten(weights)
        return [
            term.loss(y[term.target], y_pred[term.prediction], sample_weight=weights[term.target])
            for term in self.terms
        ]

    def total(self, values):
        """Add up what `values` gives, each times its loss weight."""
        return sum(
            value if term.weight is None else keras.ops.multiply(value, term.weight)
            for term, value in zip(self.terms, values, strict=True)
        )

    def check(self, y, y_pred):
        """Raise where targets and predictions would broadcast, or a label has no output.

        Parameters
        ----------
        y : ndarray, or dict or tuple of them
            All targets.
        y_pred : tensor, or dict or tuple of them
            Predictions of some rows.
        """
        y, y_pred = keras.tree.flatten(y), keras.tree.flatten(y_pred)
        for term in self.terms:
            of = f" of {term.name!r}" if self.names else ""
            _check_targets(term.loss, y[term.target], y_pred[term.prediction], of)

    @property
    def of_keras(self):
        """Whether each of them is one of Keras's own, and takes rows one by one."""
        return all(term.loss.kind is not None and term.loss.by_row for term in self.terms)

    @property
    def depend_on_the_batch(self):
        """Whether a value over many rows may differ from the mean of its values over parts."""
        return any(
            term.loss.kind in _OVER_THE_BATCH
            or term.loss.reduction == "sum"
            or term.loss.ignored_label is not None  # a mean over the rows left in a batch
            for term in self.terms
        )


@dataclass(frozen=True)
class Term:
    """One loss of one output.

    Parameters
    ----------
    loss : Loss
    weight : float or None
        Its loss weight.
    name : str
        What Keras calls it: mostly the output's name.
    target, prediction : int
        The numbers of what it compares, among the targets and predictions in flat order.
    """

    loss: "Loss"
    weight: float | None
    name: str
    target: int
    prediction: int


def _terms(model, y, y_pred, precision):
    """Let Keras pair losses, targets and predictions, and note how it does."""
    noted = []
    watched = keras.tree.map_structure(
        lambda loss: None if loss is None else _Watch(loss, noted), _internals.losses_of(model)
    )
    try:
        pairs = _internals.losses_paired(model, watched, y, y_pred)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError(
            f"the outputs {_structure(y_pred)}, the targets {_structure(y)} and what was given to "
            f"compile do not fit: {error.args[0] if error.args else error}"
        ) from error
    if not pairs:
        raise ValueError("the model is compiled with loss=None for each output: give one a loss")
    if len(pairs) > 1 and len(keras.tree.flatten(y_pred)) == 1:
        raise ValueError(
            "training.fit does not support a model with several losses for one output: "
            "use model.fit instead"
        )
    targets, predictions = keras.tree.flatten(y), keras.tree.flatten(y_pred)
    terms = []
    for (watch, weight, name), (y_true, y_of) in zip(pairs, noted, strict=True):
        if keras.tree.is_nested(y_of) or keras.tree.is_nested(y_true):
            raise ValueError(
                f"training.fit does not support one loss for several outputs ({name!r}): use "
                "model.fit instead"
            )
        loss = Loss(watch.identifier, y_true, y_of, precision)
        terms.append(Term(loss, weight, name, _place(y_true, targets), _place(y_of, predictions)))
    return terms


class _Watch(keras.losses.Loss):
    """Stands in for a loss, and notes what Keras gives it."""

    def __init__(self, identifier, noted):
        by_shape = str(identifier).lower() in ("crossentropy", "ce")
        super().__init__(identifier if by_shape else _resolve(identifier, None, None).name)
        self.identifier = identifier
        self._noted = noted

    def __call__(self, y_true, y_pred, sample_weight=None):
        self._noted.append((y_true, y_pred))
        return keras.ops.zeros(())


def _place(thing, things):
    return next(i for i, each in enumerate(things) if each is thing)


def _structure(values):
    """Return how arrays are nested, with their shapes."""
    return keras.tree.map_structure(_shape, values)


class Loss(keras.losses.Loss):
    """A loss of one output, computed in the model's precision.

    Attributes
    ----------
    kind : str or None
        The class name, such as ``"Huber"``, if the loss is one of Keras's own.
    """

    def __init__(self, identifier, y, y_pred, precision):
        self._keras_loss = _resolve(identifier, y, y_pred)
        if self._keras_loss.reduction in (None, "none"):
            raise ValueError(
                "the loss has reduction=None, which leaves a value for each row: "
                "use the default, reduction='sum_over_batch_size'"
            )
        super().__init__(self._keras_loss.name, self._keras_loss.reduction, precision)
        self.kind = _kind(self._keras_loss)
        self.shapes_checked = set()
        self._called_whole = type(self._keras_loss).__call__ is not keras.losses.Loss.__call__
        if self.kind is None:
            self._check_own(y, y_pred)

    def _check_own(self, y, y_pred):
        """Compute a loss of the reader's own once, with errors that name it."""
        function = getattr(self._keras_loss, "fn", None)
        module = getattr(function, "__module__", None) or ""
        if module.startswith("lossutils.losses.") and not module.endswith("keras_losses"):
            raise ValueError(
                f"{function.__name__} of lossutils.losses is the definition in NumPy, which has no "
                f'gradient for training: compile with the loss of Keras, "{function.__name__}", or '
                "one from lossutils.losses.keras_losses"
            )
        try:
            value = self(y, y_pred)
        except (AttributeError, ValueError, tf.errors.InvalidArgumentError) as error:
            raise NotComputed(
                f"the loss {self.name} cannot be computed: {error}. It has to return a tensor, "
                "written with keras.ops"
            ) from error
        if value.shape != ():
            raise ValueError(
                f"the loss {self.name} gives an array of shape {tuple(value.shape)}: "
                "reduce it to one number"
            )

    def call(self, y_true, y_pred):
        """Compute the loss of each row."""
        if self.kind in _LABEL_VECTOR:
            y_true = keras.ops.squeeze(y_true, -1)
        return self._keras_loss.call(y_true, y_pred)

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Compute the reduced loss."""
        if self._called_whole:  # a reader's class that reduces in its own way
            loss = self._keras_loss(y_true, y_pred, sample_weight=sample_weight)
            return keras.ops.cast(loss, self.dtype)
        return super().__call__(y_true, y_pred, sample_weight)

    @property
    def takes_whole_batches(self):
        """Whether a reader's class computes the reduced loss itself."""
        return self._called_whole

    @property
    def by_row(self):
        """Whether a loss of Keras computes along the last axis, where it has one to choose."""
        return _internals.loss_arguments_of(self._keras_loss).get("axis", -1) == -1

    @property
    def ignored_label(self):
        """The label that the loss leaves out, where there is one."""
        if isinstance(self._keras_loss, keras.losses.SparseCategoricalCrossentropy):
            return self._keras_loss.get_config().get("ignore_class")
        return None


def _resolve(loss, y, y_pred):
    try:
        return _internals.get_loss(loss, y, y_pred)
    except ValueError as error:
        close = closest_loss(str(loss))
        hint = f"did you mean {close!r}?" if close else f"Keras knows {', '.join(known_losses())}"
        raise ValueError(f"unknown loss {loss!r}: {hint}") from error


def _kind(loss):
    if type(loss) is not _internals.LossFunctionWrapper:
        return type(loss).__name__ if is_of_keras(type(loss)) else None
    if not is_of_keras(loss.fn):
        return None
    folded = loss.fn.__name__.replace("_", "")
    return next((name for name in dir(keras.losses) if name.lower() == folded), None)


def is_of_keras(thing):
    return (thing.__module__ or "").startswith("keras.")


def _check_targets(loss, y, y_pred, of):
    """Raise where targets and predictions of a batch would broadcast, or a label has no output."""
    if loss.kind == "SparseCategoricalCrossentropy":
        _check_labels(y, y_pred.shape[-1], loss.ignored_label, of)
    shapes = f"targets{of} have the shape {_shape(y)}, the model's output has {_shape(y_pred)}"
    if loss.kind in _LABELS:
        if loss.kind != "CTC" and not _labels_fit(loss, y, y_pred):
            wanted = ", ".join(["n", *map(str, y_pred.shape[1:-1])])
            wanted = f"({wanted})" if y_pred.ndim > 2 else "(n, 1)"
            raise ValueError(
                f"{shapes}: {loss.name} takes whole-number labels of shape {wanted}; "
                "use categorical_crossentropy for one-hot targets"
            )
    elif loss.kind is not None:
        if _squeezed(y) != _squeezed(y_pred):
            raise ValueError(
                f"{shapes}: {loss.name} needs equal shapes, and would broadcast them silently or "
                "fail; reshape the targets, one-hot encode the labels or change the output layer"
            )
    else:
        _check_own_loss(loss, y, y_pred, shapes)


def _labels_fit(loss, y, y_pred):
    """Tell whether there is a label for each row, or for each step or pixel of it."""
    if loss.kind in _LABEL_VECTOR:
        return y.shape[1:] == (1,)
    labels, outputs = tuple(y.shape[1:]), tuple(y_pred.shape[1:-1])
    return labels in (outputs, (*outputs, 1))


def _check_own_loss(loss, y, y_pred, shapes):
    """Find a loss of the reader's own that pairs every target with every prediction."""
    # It runs operation by operation, which takes long for each of many draws of the same shapes.
    key = tuple(y.shape[1:]), tuple(y_pred.shape[1:])
    if loss.takes_whole_batches or key in loss.shapes_checked:
        return
    rows = max(y_pred.shape[1:], default=0) + max(y.shape[1:], default=0) + 1
    y_pred = keras.ops.zeros((rows, *y_pred.shape[1:]), loss.dtype)
    try:
        values = loss.call(keras.ops.cast(y[:1].repeat(rows, axis=0), loss.dtype), y_pred)
    except Exception:  # it takes other numbers of rows, such as even ones
        return
    if list(values.shape).count(rows) > 1:
        raise ValueError(
            f"{shapes}: {loss.name} pairs every target with every prediction, with a result of "
            f"shape {tuple(values.shape)} for {rows} rows; give both the same shape"
        )
    loss.shapes_checked.add(key)


def _check_labels(y, outputs, ignored, of):
    labels = y[y != ignored] if ignored is not None else y
    if labels.size and (labels.min() < 0 or labels.max() >= outputs):
        raise ValueError(
            f"the labels{of} run from {labels.min()} to {labels.max()}, but a model with {outputs} "
            f"outputs takes 0 to {outputs - 1}: number the classes from 0 or change the outputs"
        )


def _squeezed(array):
    """Return the shape of a row, where Keras treats (n,) and (n, 1) as the same."""
    shape = tuple(array.shape[1:])
    return shape[:-1] if shape and shape[-1] == 1 else shape


def _shape(array):
    return "(" + ", ".join(["n", *map(str, array.shape[1:])]) + ("," * (array.ndim == 1)) + ")"
