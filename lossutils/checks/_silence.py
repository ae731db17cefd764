"""What was read and what was not, so that silence never means that nobody looked."""

import difflib

import keras
import numpy as np

from lossutils import _internals
from lossutils.checks._findings import Finding, rule

RULES = {}


@rule(RULES, "not-read", "warning", "Something that could not be looked at")
def not_read(setup):
    """
    A generator or a loader can be read only once, so it is left for fit(). Rows of different
    lengths are no array, and without targets there is nothing to compare the output with. What was
    not read may have any mistake.
    """
    yield from setup.data.unread
    if setup.validation is not None:
        yield from setup.validation.unread
    if setup.custom_training or not getattr(setup.model, "compiled", False):
        return
    if setup.data.unread:
        return
    without = [head for head in setup.heads if head.loss is not None and head.y is None]
    if without and len(without) == len(setup.heads):
        yield (
            "the model has a loss, and there are no targets",
            "pass y as well, or a data set that yields (x, y)",
        )
    elif not setup.heads and getattr(setup.model, "loss", None) is not None:
        yield (
            "nothing could be learned of the model's outputs",
            "call the model on a few rows first: model(x[:2])",
        )


def failed(rule, error):
    """Return the finding that a rule could not be applied."""
    return Finding(
        "not-read",
        "warning",
        f"the rule {rule.code!r} could not be applied ({type(error).__name__}: {error})",
        "look at this point yourself, and report the case to the authors of lossutils",
    )


@rule(RULES, "unknown-name", "error", "A name that no output has")
def unknown_name(setup):
    """
    Targets, losses and metrics of several outputs are matched by the names of the output layers.
    What stands under another name reaches no output: mostly fit() stops with an error, and misspelt
    loss weights are taken in alphabetical order.
    """
    names = setup.names
    if setup.custom_training or not names or not all(names):
        return
    model = setup.model
    given = [
        ("y", setup.data.y),
        ("sample_weight", setup.data.sample_weight),
        ("loss", getattr(model, "loss", None)),
    ]
    if getattr(model, "compiled", False):
        given += [("metrics", part) for part in _internals.metrics_of(model)]
        if given[2][1] is not None:
            given.append(("loss_weights", _internals.loss_weights_of(model)))
    for what, value in given:
        if not isinstance(value, dict):
            continue
        # Of targets that no loss is for, fit() takes no notice.
        wrong = [key for key in value if key not in names]
        missing = [name for name in names if name not in value]
        if wrong and (missing or what != "y"):
            near = difflib.get_close_matches(str(wrong[0]), missing or names, n=1, cutoff=0.0)
            listed = ", ".join(repr(name) for name in names)
            yield (
                f"{what} has {wrong[0]!r}, and the outputs are called {listed}",
                f"write {near[0]!r}, or name the layer so: Dense(..., name={wrong[0]!r})",
            )


@rule(RULES, "own-training", "info", "A training that cannot be judged")
def own_training(setup):
    """
    A model with a train_step or a compute_loss of its own may use outputs, targets and losses in
    any way. What its rules would say of the usual training is left out.
    """
    if setup.custom_training:
        own = [
            name
            for name in ("train_step", "compute_loss")
            if getattr(type(setup.model), name) is not getattr(keras.Model, name)
        ]
        yield (
            f"{type(setup.model).__name__} has a {own[0]} of its own, so its loss, targets and "
            "metrics were not judged",
            "test the loss by itself: at right, wrong and random predictions, with its gradient",
        )


def summary(setup):
    """Return what was read in one sentence, and what could not be judged in several."""
    parts = []
    if setup.rows is not None:
        where = " of the first batches" if setup.partial else ""
        parts.append(f"{setup.rows:,} rows{where}")
    for name, inputs in setup.inputs:
        parts.append(f"inputs{f' {name!r}' if name else ''} of shape {_shape(inputs.shape)}")
    parts += [_of_head(head) for head in setup.heads]
    if setup.validation is not None and setup.validation.inputs:
        parts.append(f"{len(setup.validation.inputs[0][1]):,} rows to validate on")
    return "; ".join(parts), tuple(_left_out(setup))


def _of_head(head):
    said = [head.name]
    if head.units is not None:
        said.append(f"{head.units} unit" + ("" if head.units == 1 else "s"))
    if head.activation is not None:
        said.append(repr(head.activation.name))
    text = ", ".join(said)
    if head.loss is not None:
        text += f", with {head.loss.name or 'a loss of your own'}"
        if head.y is not None:
            text += f" and {_of_targets(head.y)}"
    return text


def _of_targets(y):
    if np.isnan(y.low):
        return f"targets of shape {_shape(y.shape)}"
    if y.counts is not None and len(y.counts) <= 4:
        return "the targets " + ", ".join(f"{value:g}" for value in y.values)
    return f"targets from {y.low:.4g} to {y.high:.4g}"


def _shape(shape):
    sizes = ", ".join(str(size) for size in shape[1:])
    return f"({sizes}{',' if len(shape) == 2 else ''})"


def _left_out(setup):
    for name, inputs in setup.inputs:
        if inputs.rows_read is None:
            yield f"the values of the inputs{f' {name!r}' if name else ''}, which are no numbers"
    for head in setup.heads:
        if head.loss is None:
            continue
        if head.loss.entry is None:
            yield f"whether the loss of {head.name} fits: it is your own"
        elif head.activation is None:
            yield f"the range of {head.name}: its activation is unknown"
