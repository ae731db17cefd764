"""The changes that are tried one at a time, what makes each a suspect, and how to write it.

Suspicion only decides what is tried first and, of two changes that do as much, which is named
first. What is a cause the trainings decide.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import keras
import numpy as np

from lossutils import _internals
from lossutils.checks._diagnosis import _copies, _splits

_USUAL_BATCH = 32
_FEW_UNITS = 16
_ENOUGH_UNITS = 64
_FEWER_EPOCHS = 10
_HARDLY_EVER = 0.2  # of the rows of a class that are predicted right
_KEPT_BY_SCALE = {"mean_squared_error", "mean_absolute_error", "huber", "log_cosh"}
_NORMALIZERS = (
    keras.layers.Normalization,
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.Rescaling,
)


@dataclass(frozen=True)
class Change:
    """One thing done differently.

    Attributes
    ----------
    code : str
        What it is called in `Diagnosis.causes`.
    title : str
        What it is called in the table.
    message : str
        What is wrong, where it is a cause.
    recipe : str
        How to write it.
    suspicion : float
        0 to 3: how much points at it before it is tried.
    network : callable or None
        Takes a `Source` and returns a fresh model; None where the network stays.
    prepared : callable or None
        Turns the rows of a split into those to train on.
    scaled_targets : bool
        Whether it divides the targets by their standard deviation.
    settings : dict
        What of `Settings` it replaces.
    rate : float or None
        The learning rate, where it is another.
    """

    code: str
    title: str
    message: str
    recipe: str
    suspicion: float
    network: Callable | None = None
    prepared: Callable | None = None
    scaled_targets: bool = False
    settings: dict = field(default_factory=dict)
    rate: float | None = None

    def apply(self, settings):
        """Return the settings with those of this change."""
        rates = {} if self.rate is None else {"rates": (self.rate,)}
        return replace(settings, **self.settings, **rates)


@dataclass(frozen=True)
class Evidence:
    """What is known before the changes are tried.

    Attributes
    ----------
    model : keras.Model
        A fresh copy of the model.
    rows : Rows
    task : Task
    settings : Settings
    inside : Inside or None
    memorized : float
        How far the model comes from constant to perfect on a few rows, 0 to 1.
    as_given : Scores
        Of the trainings without a change.
    loss : str or None
        Keras's name of the loss.
    linear_output : bool
        Whether the output can be any number.
    nonlinear_gain : float
        What boosting reaches above the linear model, as a share of the way from the constant.
    """

    model: object
    rows: object
    task: object
    settings: object
    inside: object
    memorized: float
    as_given: object
    loss: str | None
    linear_output: bool
    nonlinear_gain: float

    @property
    def diverges(self):
        """Whether a training ends in NaN."""
        seen = self.inside is not None and self.inside.nan_step is not None
        return seen or bool(np.isnan(self.as_given.trained_on).any())

    @property
    def update(self):
        """The median size of a step relative to the weights, NaN where no layer has a kernel."""
        if self.inside is None or self.inside.layers["update"].isna().all():
            return np.nan
        return float(self.inside.layers["update"].median())

    def hidden(self, column):
        """Return the largest value of a column of hidden layers in `inside`, 0 if unknown."""
        if self.inside is None:
            return 0.0
        return float(np.nan_to_num(self.inside.hidden[column].max()))


def changes(evidence):
    """Return the changes to try, the largest suspects first, and why the others need no trial.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    list of Change, dict of str to str
    """
    to_try, needless = [], {}
    for kind in _KINDS:
        result = kind(evidence)
        if isinstance(result, str):
            title, why = result.split(": ", 1)
            needless[title] = why
        else:
            to_try += result if isinstance(result, list) else [result]
    return sorted(to_try, key=lambda change: -change.suspicion), needless


def _inputs(e):
    title = "inputs standardized"
    if any(isinstance(layer, keras.layers.Embedding) for layer in _copies.leaf_layers(e.model)):
        return f"{title}: whole numbers go into an embedding"
    off = _off_scale(e.rows.x_train)
    if off < 0.35:
        return f"{title}: they are already"
    first = next(iter(_copies.ordered_layers(e.model)), None)
    return Change(
        "standardize-inputs",
        title,
        "the inputs are far from the scale of the weights",
        "scaler = sklearn.preprocessing.StandardScaler().fit(x_train)\n"
        "x_train, x_test = scaler.transform(x_train), scaler.transform(x_test)",
        0.2 if isinstance(first, _NORMALIZERS) else min(3.0, 2.0 * off),
        prepared=_splits.standardized_inputs,
    )


def _off_scale(x):
    """Return how many powers of ten the columns are away from mean 0 and deviation 1, at most."""
    x = x.astype(float)
    x = x.reshape(len(x), -1) if x.ndim == 2 else x.reshape(-1, 1)
    deviation, mean = x.std(axis=0), np.abs(x.mean(axis=0))
    varied = deviation > 0
    if not varied.any():
        return 0.0
    spread = np.abs(np.log10(deviation[varied]))
    moved = np.log10(np.maximum(mean[varied], 1.0))
    return float(np.maximum(spread, moved).max())


def _targets(e):
    title = "targets standardized"
    if e.task.kind != "numbers":
        return f"{title}: they are classes"
    if not e.linear_output or e.loss not in _KEPT_BY_SCALE:
        return f"{title}: output or loss need them as they are"
    off = _off_scale(e.rows.y_train)
    if off < 0.35:
        return f"{title}: they are already"
    return Change(
        "standardize-targets",
        title,
        "the targets are far from the scale that the output layer starts with",
        "mean, deviation = y_train.mean(), y_train.std()\n"
        "model.fit(x_train, (y_train - mean) / deviation, ...)\n"
        "predictions = model.predict(x_test) * deviation + mean",
        min(3.0, 2.0 * off),
        prepared=_splits.standardized_targets,
        scaled_targets=True,
    )


def _rates_up(e):
    rate = rate_of(e.model)
    if rate is None:
        return "learning rate × 10: a schedule sets the rate"
    suspicion = 0.7
    if e.diverges:
        suspicion = 0.1
    elif e.update < 1e-4:
        suspicion = 2.5
    elif e.memorized < 0.5 and e.update < 1e-3:
        suspicion = 1.5
    return [_rate("larger-rate", rate, factor, suspicion) for factor in (10, 100)]


def _rates_down(e):
    rate = rate_of(e.model)
    if rate is None:
        return "learning rate / 10: a schedule sets the rate"
    suspicion = 0.6
    if e.diverges or e.update > 0.1:
        suspicion = 2.5
    elif e.update > 0.03:
        suspicion = 1.5
    return [_rate("smaller-rate", rate, factor, suspicion) for factor in (0.1, 0.01)]


def _rate(code, rate, factor, suspicion):
    new = float(f"{rate * factor:.3g}")
    up = factor > 1
    return Change(
        code,
        f"learning rate {'×' if up else '/'} {factor if up else round(1 / factor)}",
        f"the learning rate {rate:g} is too {'low' if up else 'high'}",
        f"model.optimizer.learning_rate = {new:g}",
        suspicion,
        rate=new,
    )


def rate_of(model):
    """Return a model's constant learning rate, or None."""
    rate = _internals.learning_rate_of(model.optimizer)
    return float(str(rate.numpy())) if isinstance(rate, keras.Variable) else None


def _relu(e):
    title = "hidden relu"
    names = _copies.activations_to_replace(e.model)
    if not names:
        return f"{title}: no hidden activation is missing or saturates"
    linear = any(_copies.activation_of(la) == "linear" for la in _named(e.model, names))
    return Change(
        "relu",
        title,
        f"the activation of hidden layers {'is missing' if linear else 'saturates'}",
        'keras.layers.Dense(units, activation="relu", kernel_initializer="he_uniform")'
        "  # each hidden layer",
        2.2 if linear else 0.8 + e.hidden("saturated"),
        network=lambda source: source.changed(_copies.with_relu(names)),
    )


def _named(model, names):
    return [layer for layer in _copies.leaf_layers(model) if layer.name in names]


def _he(e):
    title = "He initialization"
    if e.inside is None or not len(e.inside.layers):
        return f"{title}: no layer with weights to draw anew is known"
    scale, layers = e.inside.layers["scale"], e.inside.layers
    fan = [_fans(layer) for layer in _named(e.model, {*layers.index})]
    glorot = np.sqrt([i / (i + o) for i, o in fan])
    suspicion = 0.3
    if (scale.to_numpy() < 0.3 * glorot).any() or (scale.to_numpy() > 3).any():
        suspicion = 2.8
    elif e.hidden("dead_at_start") > 0.5:
        suspicion = 2.4
    return Change(
        "he-initialization",
        title,
        "the initial weights do not suit the layers",
        'keras.layers.Dense(units, activation="relu", kernel_initializer="he_uniform",\n'
        '                   bias_initializer="zeros")  # each hidden layer',
        suspicion,
        network=lambda source: _copies.he_initialized(source.model()),
    )


def _fans(layer):
    *inner, outputs = layer.kernel.shape
    return float(np.prod(inner)), float(outputs)


def _batch(e):
    size, rows = e.settings.batch_size, len(e.rows.x_train)
    if size >= 4 * _USUAL_BATCH and 4 * size >= rows:
        new, word, suspicion = _USUAL_BATCH, "large", 1.8
    elif size <= _USUAL_BATCH // 8:
        new, word, suspicion = _USUAL_BATCH, "small", 0.8
    else:
        return f"batches of {_USUAL_BATCH}: the size is usual"
    return Change(
        "batch-size",
        f"batches of {new}",
        f"batches of {size} rows are {word}: an epoch has {-(-rows // size)} steps",
        f"model.fit(..., batch_size={new})",
        suspicion,
        settings={"batch_size": new},
    )


def _shuffle(e):
    if e.settings.shuffle:
        return "rows shuffled: they are already"
    return Change(
        "shuffle",
        "rows shuffled",
        "each epoch takes the rows in the same order",
        "model.fit(..., shuffle=True)",
        2.6 if _sorted(e) else 1.0,
        settings={"shuffle": True},
    )


def _sorted(e):
    """Tell whether neighbors among the rows have nearly the same target."""
    y = e.rows.y_train[:, 0] if e.task.kind == "numbers" else e.task.labels_of(e.rows.y_train)
    y = y.astype(float)
    return bool(np.mean(np.diff(y) ** 2) < y.var())


def _dropout(e):
    title = "without dropout"
    if not _copies.has_dropout(e.model):
        return f"{title}: there is none"
    largest = max(float(getattr(la, "rate", 0) or 0) for la in _copies.leaf_layers(e.model))
    return Change(
        "no-dropout",
        title,
        "dropout takes away what the network needs",
        "# leave out keras.layers.Dropout, or give it a smaller rate",
        2.5 if largest >= 0.6 else 1.0,
        network=lambda source: source.changed(_copies.without_dropout),
    )


def _regularization(e):
    title = "without regularization"
    of_layers, decay = _copies.has_regularization(e.model), _copies.weight_decay_of(e.model)
    if not of_layers and not decay:
        return f"{title}: there is none"

    def network(source):
        model = source.changed(_copies.without_regularization) if of_layers else source.model()
        return _copies.with_optimizer(model, weight_decay=None) if decay else model

    return Change(
        "no-regularization",
        title,
        "the penalty on the weights is larger than what the data ask for",
        "# leave out kernel_regularizer and weight_decay, or make them ten times smaller",
        2.0,
        network=network,
    )


def _clip(e):
    title = "gradients clipped"
    if not e.diverges and (e.inside is None or e.inside.gradient_jump < 100):
        return f"{title}: no gradient stands out"
    overrides = {"global_clipnorm": 1.0, "clipnorm": None, "clipvalue": None}
    return Change(
        "clip",
        title,
        "single gradients are far larger than the others",
        f"keras.optimizers.{type(e.model.optimizer).__name__}(..., global_clipnorm=1.0)",
        1.2,
        network=lambda source: _copies.with_optimizer(source.model(), **overrides),
    )


def _class_weights(e):
    title = "class weights"
    if e.task.kind == "numbers":
        return f"{title}: there are no classes"
    if e.settings.class_weight is not None:
        return f"{title}: they are given"
    if not e.task.balanced or not np.nanmean(e.as_given.worst_class) < _HARDLY_EVER:
        return f"{title}: each class is predicted"
    y = e.rows.y_train
    labels, counts = np.unique(
        y.argmax(axis=1) if y.shape[1] > 1 else np.round(y[:, 0]).astype(int), return_counts=True
    )
    weights = {
        int(label): float(f"{len(y) / len(labels) / count:.3g}")
        for label, count in zip(labels, counts, strict=True)
    }
    return Change(
        "class-weights",
        title,
        "a rare class is hardly ever predicted",
        f"model.fit(..., class_weight={weights})",
        2.4,
        settings={"class_weight": weights},
    )


def _more_units(e):
    title = "more hidden units"
    hidden = [la for la in _copies.hidden_layers(e.model) if isinstance(la, keras.layers.Dense)]
    if not hidden:
        return f"{title}: there is no dense hidden layer"
    fewest = min(layer.units for layer in hidden)
    if fewest > _FEW_UNITS:
        return f"{title}: no layer has fewer than {_FEW_UNITS + 1}"
    factor = -(-_ENOUGH_UNITS // fewest)
    names = {layer.name for layer in hidden if layer.units <= _FEW_UNITS}
    units = ", ".join(str(factor * la.units) for la in hidden if la.name in names)
    return Change(
        "more-units",
        title,
        f"{fewest} hidden units are too few",
        f"keras.layers.Dense({units}, ...)",
        2.3 if fewest <= 4 else 1.1,
        network=lambda source: source.changed(_copies.with_more_units(names, factor)),
    )


def _hidden_layer(e):
    title = "a hidden layer"
    if _copies.hidden_layers(e.model):
        return f"{title}: there is one"
    if not isinstance(e.model, keras.Sequential):
        return f"{title}: the layers of this kind of model are not known"
    if not isinstance(_copies.output_layer(e.model), keras.layers.Dense):
        return f"{title}: the output layer is not dense"
    return Change(
        "hidden-layer",
        title,
        "without a hidden layer the model is linear, and the data are not",
        'keras.layers.Dense(64, activation="relu", kernel_initializer="he_uniform")'
        "  # before the output layer",
        2.3 if e.nonlinear_gain > 0.1 else 0.4,
        network=lambda source: source.with_hidden_layer(),
    )


def _fewer_epochs(e):
    title = f"epochs / {_FEWER_EPOCHS}"
    epochs = e.settings.epochs
    if epochs < 2 * _FEWER_EPOCHS:
        return f"{title}: there are few"
    fewer = epochs // _FEWER_EPOCHS
    gap = np.nanmean(e.as_given.trained_on - e.as_given.held_out) if not e.diverges else 0.0
    return Change(
        "fewer-epochs",
        title,
        "the network learns the training rows by heart after it has learned what holds for others",
        'keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)',
        1.6 if gap > 0.15 else 0.2,
        settings={"epochs": fewer},
    )


_KINDS = (
    _inputs,
    _targets,
    _rates_up,
    _rates_down,
    _relu,
    _he,
    _batch,
    _shuffle,
    _dropout,
    _regularization,
    _clip,
    _class_weights,
    _more_units,
    _hidden_layer,
    _fewer_epochs,
)


def together(first, second):
    """Return two changes as one."""

    def network(source):
        return (first.network or second.network)(source)

    def prepared(rows):
        for change in (first, second):
            if change.prepared is not None:
                rows = change.prepared(rows)
        return rows

    return Change(
        f"{first.code} + {second.code}",
        f"{first.title} + {second.title}",
        f"{first.message}; {second.message}",
        f"{first.recipe}\n{second.recipe}",
        0.0,
        network=network if first.network or second.network else None,
        prepared=prepared if first.prepared or second.prepared else None,
        scaled_targets=first.scaled_targets or second.scaled_targets,
        settings={**first.settings, **second.settings},
        rate=first.rate or second.rate,
    )


def fit_together(first, second):
    """Tell whether two changes are of different things, of which one at most is the network."""
    if first.code == second.code:
        return False
    both_rates = first.rate is not None and second.rate is not None
    return not both_rates and not (first.network is not None and second.network is not None)
