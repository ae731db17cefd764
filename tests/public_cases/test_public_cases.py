"""Public programs: each fault that can be seen before the training is found, and nothing else."""

import keras
import pytest
from check_setups import check, codes, complaints
from public_faults import THREADS
from public_right import PROGRAMS


def found_in(build, *arguments):
    keras.utils.set_random_seed(7)
    model, x, y, *more = build(*arguments)
    return check(model, x, y, **(more[0] if more else {}))


@pytest.mark.parametrize("name", [name for name, thread in THREADS.items() if thread.codes])
def test_fault_is_found_and_named(name):
    thread = THREADS[name]
    found = complaints(found_in(thread.build, False))
    assert set(thread.codes) <= set(codes(found))


@pytest.mark.parametrize("name", THREADS)
def test_nothing_but_the_fault_is_found(name):
    """Other findings are right, too, and stay in the repaired program, or are of the same fault."""
    thread = THREADS[name]
    same = {"shape-mismatch"} if name == "keras-1263" else {"linear-stack"}
    found = codes(complaints(found_in(thread.build, False)))
    assert set(found) <= {*thread.codes, *thread.meant, *same}


@pytest.mark.parametrize("name", THREADS)
def test_repaired_program_is_left_alone(name):
    thread = THREADS[name]
    assert codes(complaints(found_in(thread.build, True))) == thread.meant


@pytest.mark.parametrize("name", PROGRAMS)
def test_correct_program_is_left_alone(name):
    assert not complaints(found_in(PROGRAMS[name]))
