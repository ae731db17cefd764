"""The choice of a learning rate and a number of epochs, on rows kept out of the training rows."""

from dataclasses import dataclass, replace

import numpy as np

from lossutils.training import _rows


@dataclass(frozen=True)
class Choice:
    """How each seed chooses its learning rate, its number of epochs, or both.

    Parameters
    ----------
    learning_rates : tuple of float
        The rates to choose from; empty where the one of the model is kept.
    by : str or None
        What is measured on the validation rows: ``"loss"`` or the name of a metric. None keeps all
        rates and holds no rows out.
    validation_size : float
        Share of the training rows to hold out.
    early_stopping : bool
        Whether to choose the number of epochs too.
    """

    learning_rates: tuple
    by: str | None
    validation_size: float
    early_stopping: bool

    @property
    def validates(self):
        """Whether rows are held out."""
        return self.by is not None

    def held_out(self, data, weights, seed):
        """Return a data set whose test rows are taken from the training rows, and its weights."""
        rows = _rows.number(data.x_train)
        held_out = min(max(1, round(self.validation_size * rows)), rows - 1)
        # Not the order of the rows of the training, which has the seed alone.
        order = np.random.default_rng([seed, 1]).permutation(rows)
        validation, rest = order[:held_out], order[held_out:]
        part = replace(
            data,
            x_train=_rows.take(data.x_train, rest),
            y_train=_rows.take(data.y_train, rest),
            x_test=_rows.take(data.x_train, validation),
            y_test=_rows.take(data.y_train, validation),
        )
        return part, _rows.take(weights, rest)

    def outcomes(self, run, program, rate, epochs):
        """Return what each training that is kept gave.

        Parameters
        ----------
        run : callable
            ``run(number, learning_rate, epochs)`` trains from the same initial weights: on the rows
            that are left (0) or on all (-1).
        program : Program
            What is measured.
        rate : float or None
            The learning rate of the model; None where it is not one constant.
        epochs : int
            Epochs to train, at most.

        Returns
        -------
        list of (dict, dict)
            What was chosen, and the measures of the training on all rows.
        """
        if self.learning_rates and rate is None:
            raise ValueError(
                "learning_rates= takes the place of a constant learning rate; this optimizer has a "
                "schedule, a function, or several optimizers: compile with a number, or leave out "
                "learning_rates="
            )
        rates = self.learning_rates or (rate,)
        if not self.validates:
            return [({"learning_rate": each}, run(-1, each, epochs)) for each in rates]
        sign = -1 if program.larger_is_better(self.by) else 1
        trials = []
        for each in rates:
            values = sign * np.array(run(0, each, epochs)[f"test_{self.by}"])
            values = np.where(np.isfinite(values), values, np.inf)
            best = int(values.argmin()) if self.early_stopping and np.isfinite(values).any() else -1
            trials.append((values[best], each, best % epochs + 1))
        _, chosen_rate, best_epoch = min(trials)
        chosen = {"learning_rate": chosen_rate} if self.learning_rates else {}
        if self.early_stopping:
            epochs = best_epoch
            chosen["epochs"] = epochs
        return [(chosen, run(-1, chosen_rate, epochs))]
