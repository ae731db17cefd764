"""What is looked at of a training after an epoch, and what it says."""

import contextlib

import keras
import numpy as np

from lossutils import _internals
from lossutils.checks import _constant, _data, _state
from lossutils.checks._findings import Finding
from lossutils.checks._setup import Setup

CODES = (
    "nan-begins",
    "equal-predictions",
    "validation-at-constant",
    "modes-differ",
    "weights-still",
    "weights-jump",
    "wrong-monitor",
)

# Rows of the training and of the validation data, and numbers in them, that are predicted.
_ROWS = (128, 256)
_NUMBERS = 4_000_000

# Spread of predictions below which they are all the same: of probabilities, and as a share of the
# spread of the targets.
_EQUAL = 1e-4

# Losses as shares of that of the best constant.
_FAR_BELOW, _NO_BETTER = 0.5, 0.98

# A loss of all rows as a share of that of the best constant on some: below it, it is clear of both
# chance and the constant.
_WELL = 0.75

# Steps before which nothing is judged. On top of layers that do not learn, a small network starts
# from features that may hardly differ.
_STEPS, _STEPS_ON_FROZEN = 20, 200

# How far the loss of the same rows may be apart in the two modes, and the share of a constant's
# loss from which that counts.
_MODES, _COUNTS = 2.0, 0.1

# How far the weights move, as a share of their size.
_STILL, _JUMP = 1e-3, 1.0


class Watch:
    """Some rows of the data that a model is trained on, and what it makes of them.

    Attributes
    ----------
    x, y : nested ndarrays
        Rows of the training data, in an order of their own.
    validation : tuple or None
        Inputs and targets of rows to validate on.
    head : Head or None
        The output, where there is one whose loss is known.
    """

    def __init__(self, model, batch_size, x, y=None, **given):
        self.model = model
        self.batch_size = batch_size
        self._all, self.validation = _split(_data.read(x, y), **given)
        self.weighted = any(given.get(n) is not None for n in ("sample_weight", "class_weight"))
        number = int(np.clip(_length(self._all) // 50, *_ROWS))
        self.x, self.y = _some(self._all, number)
        if self.validation is not None:
            self.validation = _some(self.validation, number)
        setup = Setup(model, self.x, self.y)
        self.head = setup.heads[0] if len(setup.heads) == 1 and self.y is not None else None
        if setup.custom_training or (self.head and (self.head.loss is None or self.head.y is None)):
            self.head = None
        self.custom = setup.custom_training
        self.constant = self.validation_constant = None
        if self.head is not None:
            self.constant = _constant.loss(self.head, self.y, self.y, self.loss)
            if self.validation is not None and self.validation[1] is not None:
                self.validation_constant = _constant.loss(
                    self.head, self.y, self.validation[1], self.loss
                )
        frozen = any(
            layer.weights and not layer.trainable for layer in _internals.layers_of(model, False)
        )
        self._enough = _STEPS_ON_FROZEN if frozen else _STEPS
        # Step by step outside of a graph, such a layer takes twenty times as long.
        self._recurrent = any(
            isinstance(layer, keras.layers.RNN) for layer in _internals.layers_of(model)
        )
        self._start, self._rate = self.kernels(), _rate_of(model)
        self._losses, self._validation_losses, self._equal = [], [], []
        self._jump = 0.0, None, None  # the largest share, which weights, when

    # What is computed

    def all_rows(self, number):
        """Return inputs and targets of more rows."""
        return _some(self._all, number)

    def kernels(self):
        """Return the trained weights that start with a size, as arrays by their paths."""
        embeddings = {
            id(weight)
            for layer in _internals.layers_of(self.model)
            if isinstance(layer, keras.layers.Embedding)
            for weight in layer.weights
        }
        return {
            weight.path: weight.numpy().astype("float64")
            for weight in self.model.trainable_weights
            if len(weight.shape) > 1 and id(weight) not in embeddings
        }

    def predict(self, x, training=False):
        """Return the outputs, as arrays."""
        if self._recurrent and not training:
            return self.model.predict_on_batch(x)
        outputs = self.model(x, training=training)
        return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)

    def loss(self, y, predictions):
        """Return the mean loss, without weights and regularization."""
        loss = _internals.get_loss(self.head.loss.given, y, predictions)
        return float(keras.ops.mean(loss(y, predictions)))

    @contextlib.contextmanager
    def with_weights(self, weights):
        """Give the model other weights for a time."""
        kept = self.model.get_weights()
        self.model.set_weights(weights)
        try:
            with self._unchanged():
                yield
        finally:
            self.model.set_weights(kept)

    @contextlib.contextmanager
    def _unchanged(self):
        """Leave moving averages, counters and random generators as they were."""
        states = [(v, np.copy(v.numpy())) for v in self.model.non_trainable_variables]
        with _state.unchanged_random_state():
            try:
                yield
            finally:
                for state, value in states:
                    state.assign(value)

    # What it says

    def after(self, epoch, steps, before, reported, last):
        """Return the findings after an epoch.

        Parameters
        ----------
        epoch : int
            Its number, from 1.
        steps : int
            Of all epochs so far.
        before : dict of ndarray
            What `kernels` returned before it.
        reported : tuple of (float or None, float or None)
            The losses of the training and of the rows to validate on that Keras reports.
        last : bool
            Whether no epoch follows.
        """
        if self.custom or steps < self._enough:
            return []
        if self._is_well(*reported, last):
            self._equal.append(False)
            self._validation_losses.append(reported[1])
            return list(self._movement(reported[0], before, epoch, last))
        with self._unchanged():
            predictions = self.predict(self.x)
            held_out = None if self.validation is None else self.predict(self.validation[0])
            loss = validation_loss = None
            if self.head is not None:
                loss = self.loss(self.y, predictions)
                if self.validation_constant is not None:
                    validation_loss = self.loss(self.validation[1], held_out)
            found = [
                self._equal_predictions(predictions if held_out is None else held_out, last),
                self._modes(loss, reported[0], falls=epoch == 1 and not last),
            ]
        found.append(self._validation_at_constant(loss, validation_loss, epoch, last))
        found += self._movement(loss, before, epoch, last)
        return [finding for finding in found if finding is not None]

    def _is_well(self, loss, validation_loss, last):
        """Tell whether the losses that Keras reports leave nothing to look for in predictions.

        Where both are below those of a constant, predictions vary; where they are near each other,
        so are the two modes.
        """
        if self.weighted or not _below(loss, self.constant):
            return False
        if self.validation is None:
            return not last and not _layers_with_modes(self.model)
        below = _below(validation_loss, self.validation_constant)
        return below and not self._far_apart(loss, validation_loss)

    def _far_apart(self, a, b):
        """Tell whether two losses differ, as a ratio and by what counts beside a constant's."""
        return max(a, b) > _MODES * min(a, b) and abs(a - b) >= _COUNTS * abs(self.constant)

    def _equal_predictions(self, predictions, last):
        arrays = [_as_columns(array) for array in keras.tree.flatten(predictions)]
        spread = max(float(np.ptp(array, axis=0).max()) for array in arrays)
        scale = 1.0
        if self.head is not None and self.head.loss.for_numbers:
            scale = float(np.std(self.y))
        self._equal.append(spread <= _EQUAL * scale)
        # One epoch may be too early: a layer can start at zeros.
        if not self._equal[-1] or not (last or (all(self._equal[-2:]) and len(self._equal) > 1)):
            return None
        if len(arrays[0]) < 2 or (self.head is not None and np.ptp(self.y) == 0):
            return None
        what = "rows to validate on" if self.validation is not None else "training rows"
        return Finding(
            "equal-predictions",
            "error",
            f"the predictions of {len(arrays[0])} {what} lie within {spread:.2g} of each other, "
            f"around {np.mean(arrays[0][:, 0]):.4g}",
            "look for a hidden layer of dead relu units, an output layer that cannot vary, inputs "
            "that saturate it, or a learning rate too large: "
            "check the outputs of each layer, standardize the inputs, try a smaller rate",
        )

    def _modes(self, loss, reported, falls):
        """Compare both modes on the same rows and weights, where what is reported asks for it.

        What is reported is a mean over the epoch: in the first, in which the loss `falls`, it is
        higher.
        """
        if None in (loss, reported, self.constant) or (falls and loss < reported):
            return None
        names = _layers_with_modes(self.model)
        if not names or not (self.weighted or self._far_apart(loss, reported)):
            return None
        sizes = []
        for start in range(0, len(self.y) - self.batch_size + 1, self.batch_size):
            rows = slice(start, start + self.batch_size)
            x = keras.tree.map_structure(lambda array, rows=rows: array[rows], self.x)
            sizes.append(self.loss(self.y[rows], self.predict(x, training=True)))
        if not sizes or not self._far_apart(loss, np.mean(sizes)):
            return None
        in_training = float(np.mean(sizes))
        worse = loss > in_training
        seen = (
            f"the same {len(self.y)} training rows have the loss {loss:.3g} in inference and "
            f"{in_training:.3g} in training: {', '.join(names)}"
        )
        if not worse:
            return Finding(
                "modes-differ",
                "info",
                seen,
                "compare validation with the training rows in inference: model.evaluate(x, y); the "
                "training loss that is reported is one with dropout",
            )
        return Finding(
            "modes-differ",
            "warning",
            seen,
            "train longer or lower BatchNormalization(momentum=0.9), so that the moving averages "
            "catch up; use larger batches; leave layers that are frozen in inference mode",
        )

    def _validation_at_constant(self, loss, validation_loss, epoch, last):
        self._validation_losses.append(validation_loss)
        if self.constant is None or validation_loss is None or not (last or epoch >= 8):
            return None
        constant = self.validation_constant
        if constant <= 0 or self.constant <= 0 or len(self._validation_losses) < 3:
            return None
        if loss > _FAR_BELOW * self.constant:
            return None
        if min(self._validation_losses) < _NO_BETTER * constant:
            return None
        return Finding(
            "validation-at-constant",
            "warning",
            f"the loss of training rows is {loss:.3g}, and a constant reaches {self.constant:.3g}; "
            f"that of the rows to validate on was never below {min(self._validation_losses):.3g}, "
            f"and a constant reaches {constant:.3g}",
            "preprocess both in the same way, and see that rows and targets of the validation data "
            "belong together; if they do, the network memorizes: fewer units, more rows",
        )

    def _movement(self, loss, before, epoch, last):
        """Judge the weights where nothing is learned: only then is a size of steps wrong."""
        self._losses.append(loss)
        now = self.kernels()
        first = len(self._losses) == 1
        jumps = _moved(self._start if first else before, now)
        if jumps and max(jumps.values()) > self._jump[0]:
            path = max(jumps, key=jumps.get)
            when = f"from the start to epoch {epoch}" if first else f"in epoch {epoch}"
            self._jump = jumps[path], path, when
        if loss is None or self.constant is None or not now or self.constant <= 0:
            return
        if loss < _NO_BETTER * self.constant or not np.isfinite(loss):
            return
        moved = _moved(self._start, now)
        if moved and max(moved.values()) < _STILL and (last or epoch > 1):
            yield Finding(
                "weights-still",
                "warning",
                f"after epoch {epoch} the loss is {loss:.3g}, and a constant reaches "
                f"{self.constant:.3g}; no layer's weights have moved by more than "
                f"{max(moved.values()):.1g} of their size{self._rate_has('fallen')}",
                "try a learning rate that is 10 and 100 times larger; where that changes nothing, "
                "no gradient arrives: look for dead relu units and saturated activations",
            )
        if len(self._losses) < 2 or self._jump[0] < _JUMP:
            return
        earlier = self._losses[-2]
        if earlier >= _NO_BETTER * self.constant and loss >= 0.9 * earlier:
            yield Finding(
                "weights-jump",
                "warning",
                f"{self._jump[2]} the weights {self._jump[1]!r} moved by "
                f"{self._jump[0]:.2g} times their size, and after epoch {epoch} the loss is "
                f"{loss:.3g}, where a constant reaches {self.constant:.3g}"
                f"{self._rate_has('risen')}",
                "try a learning rate that is 10 times smaller, and standardize the inputs",
            )

    def _rate_has(self, moved):
        """Say that the learning rate has risen, or fallen, where it has by far."""
        rate = _rate_of(self.model)
        far = {"risen": rate > 9 * self._rate > 0, "fallen": 0 <= 100 * rate < self._rate}
        if not far[moved]:
            return ""
        return f"; the learning rate has {moved} from {self._rate:.3g} to {rate:.3g}"


def _rate_of(model):
    """Return the learning rate of the next step, NaN where that cannot be said."""
    try:
        return float(model.optimizer.learning_rate)
    except Exception:  # a function, or an optimizer of one's own
        return np.nan


def _split(data, validation_data=None, validation_split=None, **_):
    """Return (x, y) of the rows to train on, and of those to validate on or None."""
    rows = data.x, data.y
    if data.x is None or any(array is None for array in _data.flattened(data.x)):
        raise ValueError("the inputs could not be read")
    if validation_data is not None:
        if isinstance(validation_data, (tuple, list)):
            other = _data.read(*[*validation_data, None, None][:3])
        else:
            other = _data.read(validation_data)
        readable = other.x is not None and all(a is not None for a in _data.flattened(other.x))
        return rows, (other.x, other.y) if readable else None
    if validation_split:
        at = int(np.floor(_length(rows) * (1 - validation_split)))
        return _taken(rows, slice(None, at)), _taken(rows, slice(at, None))
    return rows, None


def _length(rows):
    return len(_data.flattened(rows[0])[0])


def _taken(rows, index):
    """Index inputs and targets, of which some may be missing."""
    return keras.tree.map_structure(lambda a: None if a is None else a[index], rows)


def _some(rows, number):
    """Return some rows, evenly spread and then shuffled, of not too many numbers."""
    length = _length(rows)
    size = sum(array[0].size for array in _data.flattened(rows[0]))
    number = max(2, min(number, length, _NUMBERS // max(1, size)))
    index = np.unique(np.linspace(0, length - 1, number).astype(int))
    np.random.default_rng(0).shuffle(index)
    return _taken(rows, index)


def _as_columns(array):
    return array.reshape(len(array), -1).astype("float64")


def _below(loss, constant):
    """Tell whether a loss is clearly below that of the best constant."""
    return None not in (loss, constant) and constant > 0 and loss < _WELL * constant


def _layers_with_modes(model):
    kinds = (
        keras.layers.BatchNormalization,
        keras.layers.Dropout,
        keras.layers.SpatialDropout1D,
        keras.layers.SpatialDropout2D,
        keras.layers.GaussianNoise,
        keras.layers.GaussianDropout,
        keras.layers.AlphaDropout,
    )
    return [layer.name for layer in _internals.layers_of(model) if isinstance(layer, kinds)]


def _moved(before, now):
    """Return by which share of their size the weights have moved, by path."""
    return {
        path: float(np.linalg.norm(now[path] - value) / np.linalg.norm(value))
        for path, value in before.items()
        if path in now and np.linalg.norm(value) > 0
    }
