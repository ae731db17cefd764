"""Find the mistakes that train without an error: loss, output layer, targets and metrics.

`check_setup` looks at a compiled Keras model and at the arrays that it is to be trained on, before
the training. It reports what will go wrong in silence, and how to write it instead.
"""

import contextlib
import warnings

import keras

from lossutils.checks import _metrics, _outputs, _targets, _training
from lossutils.checks._findings import Finding, Findings, Rule
from lossutils.checks._network import unchanged_random_state
from lossutils.checks._setup import Setup

__all__ = ["RULES", "Finding", "Rule", "check_setup"]

_OF_SETUP = {**_training.RULES, "unknown-loss": _outputs.RULES["unknown-loss"]}
_OF_OUTPUT = {
    code: rule
    for code, rule in {**_outputs.RULES, **_targets.RULES, **_metrics.RULES}.items()
    if code not in _OF_SETUP
}

RULES = {**_OF_OUTPUT, **_OF_SETUP}

# What holds whatever a model does with its loss.
_ALWAYS = ("softmax-one-unit", "double-activation", "string-targets")


def check_setup(model, x, y=None, *, sample_weight=None, strict=False):
    """Look for mistakes in a compiled model and in the arrays it is to be trained on.

    Nothing is trained and nothing changed: neither the model nor its optimizer nor the random
    state. What cannot be judged, such as a loss of your own, is left alone.

    Parameters
    ----------
    model : keras.Model
        A compiled model, with any number of inputs and outputs.
    x : array_like, shape (n, ...), or tf.data.Dataset
        Inputs, as for `model.fit`: an array, a DataFrame, a tensor, or a list or dict of such. Of a
        data set that yields batches of inputs and targets, the first 10 batches are read, so one
        that shuffles shows its next epoch another order. Of more than 4 million numbers, every
        k-th row is read.
    y : array_like, shape (n, ...), optional
        Targets, as for `model.fit`; all of them are read.
    sample_weight : array_like, shape (n,), optional
        Weights of the rows.
    strict : bool
        Whether to raise where there is a finding of severity "error".

    Returns
    -------
    list of Finding
        The most severe first, and empty where all is well. It prints as a table.

    Raises
    ------
    TypeError
        If `model` is no Keras model.
    ValueError
        If `strict`, and there is an error.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="softmax")])
    >>> model.compile(optimizer="adam", loss="binary_crossentropy")
    >>> x, y = np.random.default_rng(0).normal(size=(100, 2)), np.arange(100) % 2
    >>> [finding.code for finding in check_setup(model, x, y)]
    ['softmax-one-unit']
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a keras.Model, got {type(model).__name__}")
    with warnings.catch_warnings(), unchanged_random_state():
        warnings.simplefilter("ignore")  # Keras's own, of what a finding says better
        found = Findings(dict.fromkeys(_findings(Setup(model, x, y, sample_weight))))
    errors = [finding for finding in found if finding.severity == "error"]
    if strict and errors:
        codes = ", ".join(dict.fromkeys(finding.code for finding in errors))
        raise ValueError(f"the set-up has mistakes: {codes}\n\n{Findings(errors)}")
    return found


def _findings(setup):
    for rule in _OF_SETUP.values():
        yield from _applied(rule, setup)
    for head in setup.heads:
        for code, rule in _OF_OUTPUT.items():
            if not setup.custom_training or code in _ALWAYS:
                yield from _applied(rule, head)


def _applied(rule, subject):
    """Apply a rule; what a model or an array of an unknown kind breaks is left alone."""
    with contextlib.suppress(Exception):
        return rule.find(subject)
    return []
