"""`training.repeat` gives the same on threads, on spawned processes and on a Dask cluster."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import keras
import numpy as np
import pandas as pd
import pytest

from lossutils import datasets, models, training

SPAWN = multiprocessing.get_context("spawn")
DATA = datasets.circles(n_samples=60)
SEEDS = [4, 0, 7, 2]


def build():
    model = models.mlp(inputs=2, hidden=[4], outputs=1, activation="sigmoid")
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def repeat(executor=None, build=build, **options):
    given = {"epochs": 3, "seeds": SEEDS, "jit_compile": False} | options
    return training.repeat(build, DATA, executor=executor, **given)


@pytest.fixture(scope="module")
def expected():
    return repeat(curves=True)


def test_threads(expected):
    with ThreadPoolExecutor(2) as executor:
        pd.testing.assert_frame_equal(repeat(executor, curves=True), expected)
        last = expected[expected["epoch"] == 3].drop(columns="epoch").reset_index(drop=True)
        pd.testing.assert_frame_equal(repeat(executor), last)


def test_spawned_processes(expected):
    units = 4

    def local_build():  # travels by value, with what it closes over
        model = models.mlp(inputs=2, hidden=[units], outputs=1, activation="sigmoid")
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        return model

    with ProcessPoolExecutor(1, mp_context=SPAWN) as executor:
        found = repeat(executor, local_build, curves=True)
    pd.testing.assert_frame_equal(found, expected)


def test_dask(expected):
    distributed = pytest.importorskip(
        "distributed", reason="Dask is missing: pip install -r requirements-frameworks.txt"
    )
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, dashboard_address=None, worker_dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        executor = client.get_executor()
        pd.testing.assert_frame_equal(repeat(executor, curves=True), expected)


def test_functions_of_a_notebook_travel():
    """What a notebook defines has no module that a worker could import."""
    code = """
import lossutils, keras, multiprocessing
import numpy as np
from concurrent.futures import ProcessPoolExecutor
from lossutils import datasets, models, training

def own_metric(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(keras.ops.cast(y_true, y_pred.dtype) - y_pred), axis=-1)

class OwnLoss(keras.losses.Loss):
    def __init__(self, power):
        super().__init__()
        self.power = power

    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** self.power, axis=-1)

LOSS = OwnLoss(1.0)

def build():
    model = models.mlp(inputs=2, hidden=[2], outputs=1)
    model.compile("sgd", LOSS, metrics=[own_metric])
    return model

with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
    runs = training.repeat(build, datasets.circles(60), 1, seeds=2, executor=executor)
values = runs.groupby("measure")["value"].apply(list)
print(len(runs), np.allclose(values["test_loss"], values["test_own_metric"]))
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert result.stdout == "8 True\n", result.stderr


def test_a_worker_that_dies_names_the_seeds_that_are_lost():
    def deadly_build():
        if np.random.randint(10**6) == np.random.RandomState(1).randint(10**6):  # noqa: NPY002
            os._exit(1)
        return build()

    with (
        ProcessPoolExecutor(1, mp_context=SPAWN) as executor,
        pytest.raises(RuntimeError, match=r"no result: \[1, 2, 3\]"),
    ):
        repeat(executor, deadly_build, seeds=[1, 2, 3])


def test_an_error_in_a_worker_comes_back_with_its_seed():
    def failing_build():
        raise ZeroDivisionError("no units")

    with ThreadPoolExecutor(1) as executor, pytest.raises(ZeroDivisionError) as caught:
        repeat(executor, failing_build, seeds=[3])
    assert "seed 3" in caught.value.__notes__[0]


class Near(keras.metrics.Metric):
    def __init__(self, tolerance=1.0):
        super().__init__(name="near")
        self.tolerance = tolerance

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Take a batch."""

    def result(self):
        return self.tolerance


def test_an_object_that_would_lose_a_parameter_on_the_way_is_named():
    near = Near(0.3)

    def build_with_it():
        model = models.mlp(inputs=2, hidden=[4], outputs=1)
        model.compile("sgd", "mse", metrics=[near])
        return model

    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(ValueError, match=r"Near is an object.*make it inside of build"),
    ):
        repeat(executor, build_with_it)


def test_a_pool_that_forks_is_refused():
    context = multiprocessing.get_context("fork")
    with (
        ProcessPoolExecutor(1, mp_context=context) as executor,
        pytest.raises(ValueError, match="spawn"),
    ):
        repeat(executor)


def test_what_is_no_executor_is_refused():
    with pytest.raises(TypeError, match="get_executor"):
        repeat("cluster")


def test_the_seeds_are_shared_out_among_the_workers(monkeypatch):
    blocks = []

    class Counting(ThreadPoolExecutor):
        def submit(self, function, *arguments):
            blocks.append(arguments[-1])
            return super().submit(function, *arguments)

    with Counting(2) as executor:
        repeat(executor, seeds=5, epochs=1)
    assert blocks == [[0, 1, 2], [3, 4]]


def test_models_with_dropout_agree_too():
    def with_dropout():
        model = keras.Sequential(
            [keras.Input((2,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
        )
        model.compile("sgd", "mse")
        return model

    with ThreadPoolExecutor(3) as executor:
        found = repeat(executor, with_dropout)
    pd.testing.assert_frame_equal(found, repeat(None, with_dropout))
