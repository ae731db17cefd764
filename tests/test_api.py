"""The page of the package is what the docstrings say today, and has all that is public."""

import importlib
import inspect

import api
import pytest

REMEDY = "run `make reference` and look at the difference"


@pytest.fixture(scope="module")
def stored():
    return api.PAGE.read_text(encoding="utf-8")


def test_page_is_up_to_date(stored):
    assert stored == api.page(), REMEDY


@pytest.mark.parametrize(
    "name", ["datasets", "models", "training", "checks", "losses.keras_losses", "plotting"]
)
def test_every_public_function_and_class_is_documented(stored, name):
    module = importlib.import_module(f"lossutils.{name}")
    for public in getattr(module, "__all__", vars(module)):
        value = getattr(module, public)
        of_the_module = getattr(value, "__module__", "").startswith(module.__name__)
        if of_the_module and not public.startswith("_"):
            kind = "class" if inspect.isclass(value) else "function"
            assert f".. py:{kind}:: {public}(" in stored, REMEDY
