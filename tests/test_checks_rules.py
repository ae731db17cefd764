"""Every rule of `check_setup`: mistakes it has to find, and the nearest set-ups without one.

The set-ups are in the tables of check_cases_*.py: {code: {name: findings}}.
"""

import check_cases_inputs
import check_cases_metrics
import check_cases_outputs
import check_cases_own_losses
import check_cases_programs
import check_cases_rates
import check_cases_samples
import check_cases_sequences
import check_cases_targets
import check_cases_training
import pytest
from check_setups import codes, complaints

from lossutils.checks import RULES
from lossutils.checks._findings import SEVERITIES

TABLES = (
    *(check_cases_outputs, check_cases_own_losses, check_cases_targets, check_cases_metrics),
    *(check_cases_inputs, check_cases_rates, check_cases_training),
    *(check_cases_samples, check_cases_sequences, check_cases_programs),
)


def joined(tables):
    """Return {code: {name: findings}} of all tables; a code may stand in several."""
    together = {}
    for table in tables:
        for code, made in table.items():
            together.setdefault(code, {}).update(made)
    return together


WRONG = joined(table.WRONG for table in TABLES)
NEAR = joined(table.NEAR for table in TABLES)


def flat(table):
    return [
        pytest.param(code, findings, id=f"{code}: {name}")
        for code, made in table.items()
        for name, findings in made.items()
    ]


@pytest.mark.parametrize("code", RULES)
def test_each_rule_has_three_mistakes_and_a_near_miss(code):
    assert len(WRONG.get(code, ())) >= 3
    assert len(NEAR.get(code, ())) >= 1


def test_there_are_set_ups_for_rules_only():
    assert {*WRONG, *NEAR} <= set(RULES)


@pytest.mark.parametrize(("code", "findings"), flat(WRONG))
def test_mistake_is_found(code, findings):
    found = [finding for finding in findings() if finding.code == code]
    assert found
    worst = SEVERITIES.index(RULES[code].severity)
    assert all(SEVERITIES.index(finding.severity) >= worst for finding in found)


@pytest.mark.parametrize(("code", "findings"), flat(NEAR))
def test_near_miss_is_left_alone(code, findings):
    found = findings()
    assert not complaints(found)
    assert code not in codes(found)


def test_targets_in_the_order_of_other_outputs_are_named_as_such():
    table = check_cases_programs.WRONG["classification-loss-for-numbers"]
    (swapped,) = table["in the order of other outputs"]()
    assert "exchanged" in swapped.message
    assert "order of the outputs, 'price', 'label'" in swapped.fix
