"""What the trainings say of each change, and which of them are causes."""

import numpy as np

from lossutils.checks._diagnosis import _changes, _judge

AS_GIVEN = "as given"

# A change may be judged twice: on the seeds given, and where it is unclear on more.
_ROUNDS = 2


class Causes:
    """Judges changes by paired differences on held-out rows.

    Parameters
    ----------
    scores : dict of str to Scores
        By title; those of some changes, and then of `AS_GIVEN`, are of further seeds too.
    changes : list of Change
    floor : ndarray
        What a constant reaches, for as many seeds as `AS_GIVEN` has.
    references : dict of str to ndarray
        What others reach, for the seeds given.
    signal : bool
        Whether one of these finds something to learn.
    test_to_train : float

    Attributes
    ----------
    table : dict of str to dict
        By title: ``value``, ``std``, ``seeds``, ``diverged``, ``difference``, ``low``, ``verdict``.
    gap : float
        From the constant to the best of all that was measured.
    learnable : bool
        Whether there is a signal, or a training is better than the constant, clear of chance.
    causes : list of Change
        The most important first, one of each code.
    unclear : list of Change
        Those whose difference is large enough and not clear of chance.
    better_together : Change or None
        Two causes, where both are better than the first, clear of chance.
    """

    def __init__(self, scores, changes, floor, references, signal, test_to_train):
        self._scores, self._floor, self._ratio = scores, floor, test_to_train
        self._intervals = _ROUNDS * (len(changes) + 1)  # one more for the best two together
        self._changes = {change.title: change for change in changes}
        values = {title: self._counted(title) for title in scores}
        means = [value.mean() for value in (*references.values(), *values.values())]
        self.gap = max(max(means) - floor.mean(), 0.0)
        self.learnable = signal or self._beats_the_constant(values)
        self.table = {title: self._row(title) for title in scores}
        self.causes = self._in_order(self._with_verdict("cause"))
        self.unclear = self._with_verdict("unclear")
        self.better_together = None

    def _counted(self, title):
        """Return scores in which a training that diverged counts as the constant."""
        held_out = self._scores[title].held_out
        return _judge.at_least(held_out, self._floor[: len(held_out)])

    def _beats_the_constant(self, values):
        return any(self._low(value - self._floor[: len(value)]) > 0 for value in values.values())

    def _low(self, differences):
        return _judge.lower_bound(differences, self._intervals, self._ratio)

    def _row(self, title):
        held_out = self._scores[title].held_out
        row = {
            "value": held_out.mean(),
            "std": held_out.std(ddof=1) if len(held_out) > 1 else np.nan,
            "seeds": len(held_out),
            "diverged": int(np.isnan(held_out).sum()),
        }
        if title == AS_GIVEN:
            return {**row, "difference": np.nan, "low": np.nan, "verdict": ""}
        differences = self._counted(title) - self._counted(AS_GIVEN)[: len(held_out)]
        low = self._low(differences)
        verdict = _judge.verdict(differences.mean(), low, self.gap)
        if verdict == "cause" and self._learns_less(title):
            verdict = "learns less"
        if not self.learnable and verdict != "worse":
            verdict = "no effect"
        return {**row, "difference": differences.mean(), "low": low, "verdict": verdict}

    def _learns_less(self, title):
        """Tell whether another rate is better because it leaves the training rows less learned."""
        change = self._changes.get(title)
        if change is None or change.rate is None:
            return False
        number = len(self._scores[title].trained_on)
        floor = self._floor[:number]
        mine = _judge.at_least(self._scores[title].trained_on, floor)
        given = _judge.at_least(self._scores[AS_GIVEN].trained_on[:number], floor)
        return (mine - given).mean() <= -_judge.MATTERS * self.gap

    def _with_verdict(self, verdict):
        return [
            change
            for title, change in self._changes.items()
            if title in self.table and self.table[title]["verdict"] == verdict
        ]

    def _in_order(self, causes):
        """Sort by what they gain; where that is nearly the same, by how much points at them."""
        best_of = {}
        for change in sorted(causes, key=self._gain, reverse=True):
            best_of.setdefault(change.code, change)
        ordered = list(best_of.values())
        if not ordered:
            return []
        near = self._gain(ordered[0]) - _judge.MATTERS * self.gap
        first = [change for change in ordered if self._gain(change) > near]
        first.sort(key=lambda change: -change.suspicion)
        return first + ordered[len(first) :]

    def _gain(self, change):
        return self.table[change.title]["difference"]

    def pair(self):
        """Return the first cause with the next that can be had with it, or None."""
        for second in self.causes[1:]:
            if _changes.fit_together(self.causes[0], second):
                return _changes.together(self.causes[0], second)
        return None

    def add_pair(self, pair):
        """Judge two changes together, against none and against the first of them."""
        if pair.title not in self._scores:
            return
        self.table[pair.title] = self._row(pair.title)
        both, first = self._counted(pair.title), self._counted(self.causes[0].title)
        differences = both - first[: len(both)]
        if self._low(differences) > 0 and differences.mean() >= _judge.MATTERS * self.gap:
            self.better_together = pair
