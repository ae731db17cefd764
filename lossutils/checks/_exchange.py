"""Targets of several outputs that are given in another order than the outputs."""

import dataclasses
import itertools

from lossutils.checks import _target_numbers, _targets

# What says that targets do not belong to an output, not how well they are scaled.
_CONFLICTS = {
    code: rule
    for code, rule in {**_targets.RULES, **_target_numbers.RULES}.items()
    if rule.severity == "error" and code != "constant-targets"
}


def explained(setup, found):
    """Say of findings on targets that those of two outputs may have been exchanged.

    Parameters
    ----------
    setup : Setup
    found : list of list of Finding
        Of each of its heads.

    Returns
    -------
    list of Finding
    """
    heads = setup.heads
    for i, j in itertools.combinations(range(len(heads)), 2):
        wrong = [finding for k in (i, j) for finding in found[k] if finding.code in _CONFLICTS]
        if wrong and _fit_exchanged(setup, heads[i], heads[j]):
            one, other = heads[i].output.name, heads[j].output.name
            first = dataclasses.replace(
                wrong[0],
                message=f"{wrong[0].message}; with the targets of {one!r} and {other!r} exchanged "
                "all of them fit",
                fix="give the targets in the order of the outputs, "
                f"{', '.join(repr(head.output.name) for head in heads)}, or a dict of their names",
            )
            kept = [finding for part in found for finding in part if finding not in wrong]
            return [first, *kept]
    return [finding for part in found for finding in part]


def _fit_exchanged(setup, one, other):
    if isinstance(setup.data.y, dict) or not all(
        head.output.name and head.loss is not None and head.loss.entry and head.y is not None
        for head in (one, other)
    ):
        return False
    turned = [
        dataclasses.replace(head, y=its.y, rows=its.rows)
        for head, its in ((one, other), (other, one))
    ]
    try:
        return not any(rule.find(head) for head in turned for rule in _CONFLICTS.values())
    except Exception:  # targets of a kind that this output never gets
        return False
