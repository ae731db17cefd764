"""`CheckSetup`: a callback that checks what `fit` was given, and looks on while it trains."""

import contextlib
import math
import warnings

import keras

from lossutils import _internals, checks
from lossutils.checks import _monitors, _not_finite, _watch
from lossutils.checks._findings import Finding, Findings

__all__ = ["CheckSetup"]

# The weights are kept after 1, 2, 4 … steps and then each time after so many: a copy costs as much
# as a small part of a step.
_KEPT_EACH = 128


class CheckSetup(keras.callbacks.Callback):
    """Check what `fit` was given, and say once what goes wrong while it trains.

    Before the first step it does what `check_setup` does, with the arguments of the `fit` that it
    runs in. After each step it looks whether the loss is still a number. After epochs 1, 2, 4, 8 …
    and the last one it predicts some rows of the training and of the validation data, unless the
    losses that Keras reports show that all is well, and says

    * ``"nan-begins"``: in which step the loss stops to be a number, and in which layer;
    * ``"equal-predictions"``: that all rows get the same prediction;
    * ``"validation-at-constant"``: that the best constant does as well on the validation data,
      while the loss of the training rows is far below that of a constant;
    * ``"modes-differ"``: that the same rows have another loss in inference than in training, as
      with dropout and batch normalization;
    * ``"weights-still"``, ``"weights-jump"``: that nothing is learned, and weights hardly move, or
      move by more than their size within an epoch;
    * ``"wrong-monitor"``: that another callback, such as `EarlyStopping`, monitors what is not
      measured, or takes the worst for the best. This is looked at after the first epoch.

    A right program trains as it would without, to the last digit, and prints nothing.

    Parameters
    ----------
    x, y, sample_weight, class_weight, validation_data, validation_split : optional
        What to look at instead of what `fit` was given. They are needed where that cannot be read:
        for a generator or a loader, a few batches of it as arrays.
    ignore : sequence of str
        Codes of findings that are meant, and are left out.

    Attributes
    ----------
    findings : Findings
        All that was found in the last training. Errors and warnings are also printed, when they
        are found.

    Notes
    -----
    Keras passes no data to its callbacks, so the arguments are read from the running call of `fit`,
    whether `validation_split` or `validation_data` is used. A `tf.data.Dataset` or a `PyDataset` is
    read for its first 10 batches; one that shuffles shows `fit` another order afterwards. Where
    `fit` is a method of your own that does not call Keras's, nothing is read, which is a finding.

    A model with a `train_step` or a `compute_loss` of its own, with several outputs or with a loss
    of your own, is watched for what needs no knowledge of its loss.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from lossutils import datasets, models
    >>> data = datasets.circles()
    >>> model = models.mlp(inputs=2, hidden=[10], outputs=1, activation="sigmoid")
    >>> model.compile(optimizer="sgd", loss="binary_crossentropy")
    >>> check = CheckSetup()
    >>> _ = model.fit(data.x_train, data.y_train, verbose=0, callbacks=[check])
    >>> check.findings
    No mistakes found.
      read: 500 rows; inputs of shape (2,); the output layer, 1 unit, 'sigmoid', with
            binary_crossentropy and the targets 0, 1
    """

    def __init__(
        self,
        x=None,
        y=None,
        *,
        sample_weight=None,
        class_weight=None,
        validation_data=None,
        validation_split=None,
        ignore=(),
    ):
        super().__init__()
        self.findings = Findings()
        self.ignore = (ignore,) if isinstance(ignore, str) else tuple(ignore)
        self._told = {
            "x": x,
            "y": y,
            "sample_weight": sample_weight,
            "class_weight": class_weight,
            "validation_data": validation_data,
            "validation_split": validation_split,
        }
        known = {*checks.RULES, *_watch.CODES}
        unknown = [code for code in self.ignore if code not in known]
        if unknown:
            raise ValueError(
                f"ignore has {unknown[0]!r}, and no finding has this code; see "
                "lossutils.checks.RULES and the docstring of CheckSetup"
            )

    def on_train_begin(self, logs=None):
        """Check what `fit` was given."""
        self.findings = Findings()
        self._watch = None
        self._step = self._epoch = 0
        self._logs = None
        self._first_loss = self._last_loss = None
        self._finite = True
        self._weights = 0, self.model.get_weights()
        self._before = None
        self._callbacks, self._validates = [], False
        given = self._given()
        if given is None:
            self._report(
                [
                    Finding(
                        "not-read",
                        "warning",
                        "the arguments of fit() could not be read, so nothing was looked at",
                        "give them to the callback: CheckSetup(x, y, validation_data=...)",
                    )
                ]
            )
            return
        batch_size = given.pop("batch_size", None) or 32
        self._callbacks = _monitors.those_in(given.pop("callbacks", None))
        self._validates = bool(given.get("validation_split")) or (
            given.get("validation_data") is not None
        )
        ignore = [code for code in self.ignore if code in checks.RULES]
        found = checks.check_setup(self.model, **given, ignore=ignore)
        self.findings.read, self.findings.not_judged = found.read, found.not_judged
        self._report(found)
        with self._harmless():
            self._watch = _watch.Watch(self.model, batch_size=batch_size, **given)

    def _given(self):
        """Return what `fit` was given, with what the callback was told instead."""
        told = {name: value for name, value in self._told.items() if value is not None}
        given = _internals.arguments_of_fit(self.model)
        if given is None:
            return told if "x" in told else None
        if "x" in told:  # other rows, which have other targets and weights
            given |= {"y": None, "sample_weight": None}
        names = ("batch_size", "callbacks", *self._told)
        return {name: value for name, value in (given | told).items() if name in names}

    def on_train_batch_end(self, batch, logs=None):
        """Look whether the loss is a number, and keep the weights from time to time."""
        self._step += 1
        loss = _not_finite.loss_in(logs)
        if loss is None or not self._finite:
            return
        if math.isfinite(loss):
            # Keras logs the mean of the epoch so far.
            self._first_loss = loss if self._first_loss is None else self._first_loss
            self._last_loss = loss
            step = self._step
            if step & (step - 1) == 0 if step < _KEPT_EACH else step % _KEPT_EACH == 0:
                self._weights = step, self.model.get_weights()
            return
        self._finite = False
        with self._harmless():
            found = _not_finite.where_it_begins(
                self.model,
                self._watch,
                place=f"step {batch + 1} of epoch {self._epoch + 1}",
                losses=(self._first_loss, self._last_loss),
                kept=(self._step, *self._weights),
            )
            self._report([found])

    def on_epoch_begin(self, epoch, logs=None):
        """Keep the weights where the epoch is one to look at."""
        self._epoch = epoch
        self._look_at_monitors()
        if self._is_due(epoch):
            with self._harmless():
                self._before = self._watch.kernels()

    def on_epoch_end(self, epoch, logs=None):
        """Look at predictions, losses and weights."""
        if self._logs is None:
            self._logs = logs or {}  # where callbacks behind this one still write
        if self._is_due(epoch) and self._before is not None:
            with self._harmless():
                last = epoch + 1 == (self.params or {}).get("epochs")
                reported = _not_finite.loss_in(logs), (logs or {}).get("val_loss")
                found = self._watch.after(epoch + 1, self._step, self._before, reported, last)
                self._report(found)

    def on_train_end(self, logs=None):
        """Look at what other callbacks monitor, where there was but one epoch."""
        self._look_at_monitors()

    def _look_at_monitors(self):
        if self._logs is not None and self._callbacks:
            with self._harmless():
                self._report(_monitors.findings(self._callbacks, self._logs, self._validates))
            self._callbacks = []

    def _is_due(self, epoch):
        if self._watch is None or not self._finite:
            return False
        number = epoch + 1
        return number & (number - 1) == 0 or number == (self.params or {}).get("epochs")

    @contextlib.contextmanager
    def _harmless(self):
        """Let a training go on where looking at it fails, and say that nobody looks any more."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except Exception as error:
            self._watch = None
            self._report(
                [
                    Finding(
                        "not-read",
                        "info",
                        f"the training is not watched ({type(error).__name__}: {error})",
                        "look at its curves yourself",
                    )
                ]
            )

    def _report(self, found):
        """Note findings that are new; print those that are no information only."""
        codes = {finding.code for finding in self.findings if finding.code in _watch.CODES}
        new = [f for f in found if f.code not in codes and f.code not in self.ignore]
        read, not_judged = self.findings.read, self.findings.not_judged
        self.findings = Findings([*self.findings, *new], read, not_judged)
        printed = Findings(f for f in new if f.severity != "info")
        if printed:
            # The line of a progress bar does not end before its epoch does.
            start = "\n" if (self.params or {}).get("verbose") == 1 and self._step else ""
            print(f"{start}{printed}", flush=True)
