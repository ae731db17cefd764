"""Find the mistakes that train without an error: loss, output layer, targets and metrics.

`check_setup` looks at a compiled Keras model and at the data that it is to be trained on, before
the training. It reports what will go wrong in silence, and how to write it instead.
"""

import difflib
import warnings

import keras

from lossutils.checks import (
    _exchange,
    _inputs,
    _metrics,
    _outputs,
    _own_losses,
    _rates,
    _samples,
    _scales,
    _sequences,
    _settings,
    _silence,
    _target_numbers,
    _targets,
    _training,
)
from lossutils.checks._callback import CheckSetup
from lossutils.checks._diagnosis import Diagnosis, diagnose
from lossutils.checks._findings import SEVERITIES, Finding, Findings, Rule
from lossutils.checks._setup import Setup
from lossutils.checks._state import unchanged_random_state

__all__ = [
    "RULES",
    "CheckSetup",
    "Diagnosis",
    "Finding",
    "Findings",
    "Rule",
    "check_setup",
    "diagnose",
]

_OF_SETUP = {
    **_silence.RULES,
    **_samples.RULES,
    **_inputs.RULES,
    "linear-stack": _training.RULES["linear-stack"],
    **_rates.RULES,
    **_training.RULES,
    **_scales.RULES,
    **_sequences.RULES,
    "unknown-loss": _outputs.RULES["unknown-loss"],
}
_OF_OUTPUT = {
    code: rule
    for code, rule in {
        **_outputs.RULES,
        **_settings.RULES,
        **_own_losses.RULES,
        **_targets.RULES,
        **_target_numbers.RULES,
        **_metrics.RULES,
    }.items()
    if code not in _OF_SETUP
}

RULES = {**_OF_OUTPUT, **_OF_SETUP}

# What holds whatever a model does with its loss.
_ALWAYS = ("softmax-one-unit", "double-activation", "string-targets", "broadcasting-loss")


def check_setup(
    model,
    x,
    y=None,
    *,
    sample_weight=None,
    class_weight=None,
    validation_data=None,
    validation_split=0.0,
    ignore=(),
    strict=False,
):
    """Look for mistakes in a compiled model and in the data it is to be trained on.

    Nothing is trained and nothing changed: neither the model nor its optimizer nor the random
    state. All but the model, `ignore` and `strict` is what you would pass to `model.fit`.

    Parameters
    ----------
    model : keras.Model
        A compiled model, with any number of inputs and outputs.
    x : array_like, shape (n, ...), tf.data.Dataset or keras.utils.PyDataset
        Inputs, as for `model.fit`: an array, a DataFrame, a tensor, or a list or dict of such. Of a
        data set that yields batches of inputs and targets, the first 10 batches are read, so one
        that shuffles shows its next epoch another order. Of more than 4 million numbers, one
        of every k rows is read. A generator cannot be read twice and is left alone; that is a
        finding.
    y : array_like, shape (n, ...), optional
        Targets, as for `model.fit`. Of more than 2 million numbers all are searched for the
        smallest, the largest and NaN, and one of every k rows for the rest.
    sample_weight : array_like, shape (n,), optional
        Weights of the rows.
    class_weight : dict of {int: float}, optional
        Weights of the classes.
    validation_data : tuple of (x, y) or (x, y, sample_weight), or batches as `x`, optional
        The rows to validate on. They are compared with the training rows.
    validation_split : float
        The share of the last rows to validate on.
    ignore : sequence of str
        Codes of findings that are meant, and are left out.
    strict : {False, True, "error", "warning"}
        Whether to raise: with True or "error" where there is an error, with "warning" where there
        is an error or a warning.

    Returns
    -------
    Findings
        A list of `Finding`, the most severe first, that prints as a table. It is empty, and so
        false, only where everything given was read and nothing found; then it prints what was read.
        What could not be read is a finding, and so is a rule that failed, so `assert not
        check_setup(...)` passes for no data that nobody looked at.

    Raises
    ------
    TypeError
        If `model` is no Keras model.
    ValueError
        If `strict` asks for it, or is none of these words; if `ignore` has an unknown code.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="softmax")])
    >>> model.compile(optimizer="adam", loss="binary_crossentropy")
    >>> x, y = np.random.default_rng(0).normal(size=(100, 2)), np.arange(100) % 2
    >>> [finding.code for finding in check_setup(model, x, y)]
    ['softmax-one-unit']

    >>> model.pop()
    >>> model.add(keras.layers.Dense(1, activation="sigmoid"))
    >>> model.compile(optimizer="adam", loss="binary_crossentropy")
    >>> check_setup(model, x, y)
    No mistakes found.
      read: 100 rows; inputs of shape (2,); the output layer, 1 unit, 'sigmoid', with
            binary_crossentropy and the targets 0, 1
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a keras.Model, got {type(model).__name__}")
    ignore = _known_codes(ignore)
    severities = _severities_to_raise(strict)
    with warnings.catch_warnings(), unchanged_random_state():
        warnings.simplefilter("ignore")  # Keras's own, of what a finding says better
        setup = Setup(model, x, y, sample_weight, class_weight, validation_data, validation_split)
        found = [finding for finding in _findings(setup) if finding.code not in ignore]
        read, left = _silence.summary(setup)
    found = Findings(dict.fromkeys(found), read, left)
    bad = [finding for finding in found if finding.severity in severities]
    if bad:
        codes = ", ".join(dict.fromkeys(finding.code for finding in bad))
        raise ValueError(f"the set-up has mistakes: {codes}\n\n{Findings(bad)}")
    return found


def _known_codes(ignore):
    codes = (ignore,) if isinstance(ignore, str) else tuple(ignore)
    for code in codes:
        if code not in RULES:
            near = difflib.get_close_matches(str(code), RULES, n=1, cutoff=0.4)
            remedy = f"did you mean {near[0]!r}?" if near else "see lossutils.checks.RULES"
            raise ValueError(f"ignore has {code!r}, and no rule has this code; {remedy}")
    return codes


def _severities_to_raise(strict):
    if strict is False:
        return ()
    strict = "error" if strict is True else strict
    if strict not in ("error", "warning"):
        raise ValueError(f"strict must be False, True, 'error' or 'warning', got {strict!r}")
    return SEVERITIES[: SEVERITIES.index(strict) + 1]


def _findings(setup):
    for rule in _OF_SETUP.values():
        yield from _applied(rule, setup)
    yield from _exchange.explained(setup, [list(_of_head(head)) for head in setup.heads])


def _of_head(head):
    for code, rule in _OF_OUTPUT.items():
        if not head.setup.custom_training or code in _ALWAYS:
            yield from _applied(rule, head)


def _applied(rule, subject):
    """Apply a rule; one that a model or an array of an unknown kind breaks says so."""
    try:
        return rule.find(subject)
    except Exception as error:
        return [_silence.failed(rule, error)]
