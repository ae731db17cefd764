import dataclasses
import doctest
import gzip
import hashlib
import pickle
import runpy
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn.datasets
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.integrate import dblquad
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.linear_model import LinearRegression, LogisticRegression, QuantileRegressor
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.preprocessing import StandardScaler

from lossutils import datasets
from lossutils.datasets import Dataset

DATA = Path(__file__).parent.parent / "data"
SYNTHETIC = [
    datasets.regression,
    datasets.regression_with_outliers,
    datasets.positive_targets,
    datasets.circles,
    datasets.blobs,
]
REAL = [datasets.diabetes, datasets.telco_churn, datasets.doctor_visits, datasets.mnist]
ALL = [*SYNTHETIC, *REAL]
FIELDS = ("x_train", "y_train", "x_test", "y_test")
SPLITS = ("train", "test")


def own(**fields):
    """Return a small valid Dataset with some fields replaced."""
    x, y = np.arange(8.0).reshape(4, 2), np.array([0, 1, 0, 1])
    return Dataset(**{"x_train": x, "y_train": y, "x_test": x, "y_test": y} | fields)


# Dataset


def test_one_dimensional_targets_become_a_column_and_stay_integers():
    data = own(y_train=[0, 1, 1, 0], y_test=np.array([0.5, 1, 2, 3]))
    assert data.y_train.shape == data.y_test.shape == (4, 1)
    assert data.y_train.dtype.kind == "i"
    assert data.y_test.dtype == np.float64


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint64])
def test_labels_can_be_recoded_without_wrapping_around(dtype):
    labels = own(y_train=np.array([0, 1, 0, 1], dtype)).y_train
    np.testing.assert_array_equal(2 * labels - 1, [[-1], [1], [-1], [1]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_arrays_keep_their_precision(dtype):
    x = np.ones((4, 2), dtype)
    assert own(x_train=x).x_train.dtype == dtype


@settings(deadline=None)
@given(st.data())
def test_own_arrays_come_back_as_they_went_in(draw):
    finite = st.floats(-1e6, 1e6)
    rows = st.integers(1, 6)
    row_shape = draw.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
    columns = draw.draw(st.integers(1, 3))
    fields = {}
    for split in ("train", "test"):
        n = draw.draw(rows)
        fields[f"x_{split}"] = draw.draw(hnp.arrays(np.float64, (n, *row_shape), elements=finite))
        fields[f"y_{split}"] = draw.draw(hnp.arrays(np.float64, (n, columns), elements=finite))
    data = Dataset(**fields)
    for field, value in fields.items():
        np.testing.assert_array_equal(getattr(data, field), value)
    frames = {
        field: pd.DataFrame(value) if value.ndim == 2 else value for field, value in fields.items()
    }
    again = pickle.loads(pickle.dumps(dataclasses.replace(data, **frames)))
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(again, field), getattr(data, field))


@settings(deadline=None)
@given(
    field=st.sampled_from(FIELDS),
    bad=st.sampled_from([np.nan, np.inf, -np.inf]),
    row=st.integers(0, 3),
)
def test_a_value_that_is_not_finite_is_refused_wherever_it_lies(field, bad, row):
    values = np.arange(8.0).reshape(4, 2) if field[0] == "x" else np.arange(4.0)
    values[row] = bad
    with pytest.raises(ValueError, match=rf"^{field} has [12] values that are NaN or infinite"):
        own(**{field: values})


X = np.zeros((4, 2))
Y = np.zeros(4)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"x_train": X[:3]}, ValueError, "x_train has 3 rows and y_train has 4: give one target"),
        ({"y_test": Y[:1]}, ValueError, "x_test has 4 rows and y_test has 1"),
        ({"x_test": X[:0], "y_test": Y[:0]}, ValueError, r"x_test is empty .* at least one row"),
        ({"y_train": np.zeros((4, 0))}, ValueError, "y_train is empty"),
        ({"x_train": X[:, 0]}, ValueError, r"x_train has shape \(4,\).*x_train.reshape\(-1, 1\)"),
        ({"y_train": 1}, ValueError, "y_train is a single number"),
        ({"x_test": np.zeros((4, 3))}, ValueError, r"x_train has shape \(2,\) .* x_test \(3,\)"),
        ({"y_test": np.zeros((4, 2))}, ValueError, r"y_train has shape \(1,\) .* y_test \(2,\)"),
        ({"x_train": [[1, 2], [3]]}, ValueError, "x_train is not a rectangular array"),
        ({"x_train": np.ma.masked_equal(X, 0)}, ValueError, "x_train has masked values: fill"),
        ({"y_train": ["Yes", "No"] * 2}, TypeError, "y_train has dtype <U3, .* encode text"),
        ({"y_train": pd.Series(["a"] * 4)}, TypeError, "y_train has dtype .* encode text"),
        ({"x_train": X.astype(object)}, TypeError, r"x_train has dtype object.*astype\(float\)"),
        ({"x_train": X + 1j}, TypeError, "x_train has dtype complex128, not real"),
        ({"y_train": None}, TypeError, "y_train has dtype object"),
        (
            {"y_train": pd.Series(pd.date_range("2026-01-01", periods=4))},
            TypeError,
            r"y_train has dtype datetime64\[.*\], dates or durations: turn them into numbers",
        ),
        ({"x_train": np.zeros((4, 2), "timedelta64[D]")}, TypeError, "dates or durations"),
        ({"x_train": pd.DataFrame(index=range(4))}, ValueError, r"x_train is empty \(shape \(4, 0"),
        ({"x_test": scipy.sparse.csr_matrix(X)}, TypeError, r"x_test is .* x_test\.toarray\(\)"),
        (
            {"x_train": pd.DataFrame({"age": [1.0] * 4, "sex": ["m"] * 4})},
            TypeError,
            r"x_train has columns that are not numbers \(sex\): .*get_dummies",
        ),
        ({"feature_names": ["a"]}, ValueError, "feature_names has 1 names, but .* one name for"),
        ({"feature_names": "ab"}, TypeError, "feature_names is the string 'ab'"),
        ({"class_names": ["a"]}, ValueError, "class_names has 1 names, .* the label 1"),
        (
            {"class_names": "abc", "y_train": np.eye(4), "y_test": np.eye(4)},
            TypeError,
            "class_names is the string",
        ),
        (
            {"class_names": list("abc"), "y_train": np.eye(4), "y_test": np.eye(4)},
            ValueError,
            "class_names has 3 names, but y has 4 columns",
        ),
    ],
)
def test_bad_input_names_the_field_and_the_remedy(fields, error, message):
    with pytest.raises(error, match=message):
        own(**fields)


def test_pandas_objects_of_several_types_become_numbers():
    frame = pd.get_dummies(pd.DataFrame({"age": [20, 30, 40, 50], "sex": list("mfmf")}))
    data = own(x_train=frame, x_test=frame, y_train=pd.Series([1, 0, 1, 0], index=list("dcba")))
    assert frame.to_numpy().dtype == object
    np.testing.assert_array_equal(data.x_train, [[20, 0, 1], [30, 1, 0], [40, 0, 1], [50, 1, 0]])
    assert data.x_train.dtype == np.float64
    np.testing.assert_array_equal(data.y_train, [[1], [0], [1], [0]])
    np.testing.assert_array_equal(own(y_train=pd.Categorical([3, 5, 3, 3])).y_train[:2], [[3], [5]])


NULLABLE = ["Int64", "UInt8", "Float32", "boolean"]


@pytest.mark.parametrize("others", [*NULLABLE, "float64"])
@pytest.mark.parametrize("dtype", NULLABLE)
def test_nullable_columns_are_numbers_and_their_missing_values_are_found(dtype, others):
    frame = pd.DataFrame({"a": pd.array([1, 0, 1, 1], dtype), "b": pd.array([0, 1, 1, 0], others)})
    data = own(x_train=frame, x_test=frame, y_train=frame["a"], y_test=frame["a"].array)
    np.testing.assert_array_equal(data.x_train, [[1, 0], [0, 1], [1, 1], [1, 0]])
    np.testing.assert_array_equal(data.y_train, [[1], [0], [1], [1]])
    assert data.y_train.dtype.kind == data.y_test.dtype.kind == ("f" if dtype[0] == "F" else "i")
    frame.loc[2, "a"] = pd.NA
    for field, values in (("x_train", frame), ("y_train", frame["a"])):
        with pytest.raises(ValueError, match=f"{field} has 1 values that are NaN"):
            own(**{field: values})


def test_dataset_is_frozen_and_prints_its_shapes_only():
    data = own(name="mine")
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.x_train = X
    assert repr(data) == (
        "Dataset('mine', x_train: (4, 2) float64, y_train: (4, 1) int64, "
        "x_test: (4, 2) float64, y_test: (4, 1) int64)"
    )


def test_replace_checks_the_new_arrays():
    data = datasets.circles()
    signed = dataclasses.replace(data, y_train=2 * data.y_train - 1, y_test=2 * data.y_test - 1)
    assert set(signed.y_train.ravel()) == {-1, 1}
    assert signed.posterior is data.posterior
    with pytest.raises(ValueError, match="y_train has 1"):
        dataclasses.replace(data, y_train=[1])


# Every problem


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_problem_describes_itself_and_repeats(make):
    first, second = make(), make()
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(first, field), getattr(second, field))
    assert first.name
    assert first.description.endswith(".")
    assert first.target_name


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_seed_changes_the_rows_and_leaves_the_global_state_alone(make):
    np.random.seed(0)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    assert not np.array_equal(make(random_state=5).x_train, make(random_state=6).x_train)
    assert np.random.random() == expected  # noqa: NPY002


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_every_seed_returns_the_same_shapes_columns_and_types(make):
    """One compiled program trains on all draws of a problem."""
    draws = [make(random_state=seed) for seed in range(5)] + [make()]
    assert len({repr(data) for data in draws}) == 1
    assert len({data.feature_names for data in draws}) == 1


@pytest.mark.parametrize("make", REAL, ids=lambda make: make.__name__)
def test_a_split_of_another_seed_has_each_row_once(make):
    def rows(data):
        # Scaling differs from split to split, in the last digits of what it undoes too.
        x, y = (np.concatenate([getattr(data, f"{n}_{s}") for s in SPLITS]) for n in "xy")
        x = x.reshape(len(x), -1).astype(float)
        x = (x - x.mean(axis=0)) / np.where(np.ptp(x, axis=0) > 0, x.std(axis=0), 1)
        return np.sort(np.hstack([x, y]) @ np.random.default_rng(0).normal(size=x.shape[1] + 1))

    first, second = make(random_state=1), make(random_state=2)
    if first.target_scaler:
        first, second = (
            dataclasses.replace(
                data,
                y_train=data.target_scaler.inverse_transform(data.y_train),
                y_test=data.target_scaler.inverse_transform(data.y_test),
            )
            for data in (first, second)
        )
    np.testing.assert_allclose(rows(first), rows(second), atol=1e-3)
    assert not np.array_equal(first.y_test, second.y_test)


@pytest.mark.parametrize("make", SYNTHETIC)
def test_problem_survives_pickling_on_its_way_to_another_process(make):
    data = make()
    again = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(again.x_test, data.x_test)
    if data.posterior:
        np.testing.assert_array_equal(again.posterior(data.x_test), data.posterior(data.x_test))


@pytest.mark.parametrize("make", SYNTHETIC)
def test_halves(make):
    data = make(n_samples=11)
    assert (len(data.x_train), len(data.x_test)) == (5, 6)


@pytest.mark.parametrize("make", SYNTHETIC)
def test_one_sample_cannot_be_halved(make):
    with pytest.raises(ValueError, match="n_samples"):
        make(n_samples=1)


@pytest.mark.parametrize("name", datasets.__all__)
def test_example_in_the_docstring_runs(name):
    finder = doctest.DocTestFinder(recurse=False)
    (test,) = finder.find(getattr(datasets, name), name, globs={})
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


# Regression


def test_regression_is_the_published_problem_scaled_by_the_training_rows():
    x, y = sklearn.datasets.make_regression(1000, 20, noise=0.1, random_state=1)
    data = datasets.regression()
    np.testing.assert_allclose(data.x_train, StandardScaler().fit_transform(x[:500]))
    np.testing.assert_allclose(data.x_test, StandardScaler().fit(x[:500]).transform(x[500:]))
    units = data.target_scaler.inverse_transform(np.vstack([data.y_train, data.y_test]))
    np.testing.assert_allclose(units.ravel(), y)
    assert data.y_train.std() == pytest.approx(1)
    assert y[:500].std() == pytest.approx(150, rel=0.05)


def test_regression_noise_is_what_a_linear_model_leaves():
    data = datasets.regression(noise=20)
    model = LinearRegression().fit(data.x_train, data.y_train)
    residuals = (data.y_test - model.predict(data.x_test)) * data.target_scaler.scale_
    assert residuals.std() == pytest.approx(20, rel=0.1)


def test_outliers_are_a_twentieth_of_the_training_targets_ten_deviations_away():
    chosen = set()
    for seed in range(1, 6):
        clean = datasets.regression(random_state=seed)
        data = datasets.regression_with_outliers(random_state=seed)
        for field in ("x_train", "x_test", "y_test"):
            np.testing.assert_array_equal(getattr(data, field), getattr(clean, field))
        moved = data.y_train - clean.y_train
        # Rows drawn with replacement would be fewer, and some of them would move twice.
        assert np.count_nonzero(moved) == 25
        np.testing.assert_allclose(moved[moved != 0], 10)
        chosen.add(tuple(np.flatnonzero(moved)))
    assert len(chosen) == 5


def test_outliers_are_a_problem_for_squared_error_only():
    data = datasets.regression_with_outliers()
    squared = LinearRegression().fit(data.x_train, data.y_train.ravel())
    absolute = QuantileRegressor(alpha=0).fit(data.x_train, data.y_train.ravel())
    errors = [
        np.abs(model.predict(data.x_test) - data.y_test.ravel()).mean()
        for model in (squared, absolute)
    ]
    assert errors[0] > 0.5
    assert errors[1] < 0.01


@pytest.mark.parametrize("fraction", [-0.1, 1.5, float("nan")])
def test_fraction_is_a_share(fraction):
    with pytest.raises(ValueError, match="fraction=.*: give a number"):
        datasets.regression_with_outliers(fraction=fraction)


def test_positive_targets_spread_over_orders_of_magnitude_above_one():
    data = datasets.positive_targets()
    y = np.concatenate([data.y_train, data.y_test])
    assert y.min() > 0
    assert (y > 1).mean() > 0.999
    low, high = np.quantile(y, [0.005, 0.995])
    assert 2 < np.log10(high / low) < 3
    np.testing.assert_allclose(data.x_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(data.x_train.std(axis=0), 1)


def test_positive_targets_follow_the_documented_process():
    data = datasets.positive_targets(n_samples=200_000, n_features=3, noise=0.5)
    x, log_y = data.x_train, np.log(data.y_train.ravel())
    design = np.column_stack([x, x[:, 0] * x[:, 1]])
    model = LinearRegression().fit(design, log_y)
    assert model.intercept_ == pytest.approx(np.log(100), abs=0.01)
    assert np.linalg.norm(model.coef_[:3]) == pytest.approx(1, abs=0.01)
    assert model.coef_[3] == pytest.approx(0.3, abs=0.01)
    residuals = log_y - model.predict(design)
    assert residuals.std() == pytest.approx(0.5, abs=0.005)
    # Mean over median of the noise: what separates squared from squared logarithmic error.
    assert np.exp(residuals).mean() == pytest.approx(np.exp(0.5**2 / 2), rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_features": 1}, "n_features=1.*at least 2"),
        ({"noise": -1}, "noise=-1.*0 or more"),
        ({"noise": np.inf}, "noise=inf is not finite"),
    ],
)
def test_positive_targets_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        datasets.positive_targets(**arguments)


def test_diabetes_is_the_data_of_scikit_learn_in_other_units():
    bunch = sklearn.datasets.load_diabetes(scaled=False)
    x_train, x_test, y_train, y_test = train_test_split(
        bunch.data, bunch.target, test_size=1 / 3, random_state=0
    )
    data = datasets.diabetes()
    assert (len(data.x_train), len(data.x_test)) == (294, 148)
    assert data.feature_names == tuple(bunch.feature_names)
    mean, std = x_train.mean(axis=0), x_train.std(axis=0)
    np.testing.assert_allclose(data.x_train, (x_train - mean) / std)
    np.testing.assert_allclose(data.x_test, (x_test - mean) / std)
    undo = data.target_scaler.inverse_transform
    np.testing.assert_allclose(undo(data.y_train).ravel(), y_train)
    np.testing.assert_allclose(undo(data.y_test).ravel(), y_test)


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (datasets.positive_targets, {"n_samples": 1e3}, "n_samples=1000.0 is not a whole number"),
        (datasets.positive_targets, {"n_features": "5"}, "n_features='5' is not a whole number"),
        (datasets.positive_targets, {"noise": None}, "noise=None is not a number"),
        (
            datasets.regression_with_outliers,
            {"fraction": [0.1]},
            r"fraction=\[0.1\] is not a number",
        ),
        (datasets.regression_with_outliers, {"shift": "10"}, "shift='10' is not a number"),
        (datasets.blobs, {"cluster_std": "2"}, "cluster_std has dtype <U1, not real numbers"),
    ],
)
def test_arguments_are_numbers(make, arguments, message):
    with pytest.raises(TypeError, match=message):
        make(**arguments)


# Classification


def test_circles_are_the_published_problem():
    x, y = sklearn.datasets.make_circles(1000, noise=0.1, random_state=1)
    data = datasets.circles()
    np.testing.assert_array_equal(np.vstack([data.x_train, data.x_test]), x)
    np.testing.assert_array_equal(np.vstack([data.y_train, data.y_test]).ravel(), y)
    assert data.y_train.dtype.kind == "i"


def circle_density(x, y, radius, noise):
    """Return the density of a noisy circle, averaged over the points of the circle."""
    angles = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    squares = (x - radius * np.cos(angles)) ** 2 + (y - radius * np.sin(angles)) ** 2
    return np.exp(-squares / (2 * noise**2)).mean() / (2 * np.pi * noise**2)


@settings(deadline=None, max_examples=50)
@given(
    x=st.floats(-1.5, 1.5),
    y=st.floats(-1.5, 1.5),
    noise=st.floats(0.1, 1),
    factor=st.floats(0.1, 0.9),
)
def test_posterior_of_circles_against_the_average_over_the_circle(x, y, noise, factor):
    posterior = datasets.circles(10, noise=noise, factor=factor).posterior([[x, y]])
    inner, outer = (circle_density(x, y, radius, noise) for radius in (factor, 1))
    if inner + outer > 1e-200:
        np.testing.assert_allclose(posterior, [[inner / (inner + outer)]], rtol=1e-6, atol=1e-12)


def test_bayes_accuracy_of_circles_by_integration_and_by_drawing():
    # The larger of the two densities, integrated over the plane, is the accuracy that no
    # classifier exceeds.
    def best(y, x):
        return max(circle_density(x, y, 1, 0.1), circle_density(x, y, 0.8, 0.1)) / 2

    quarter, _ = dblquad(best, 0, 1.6, 0, 1.6, epsabs=1e-3)
    assert 4 * quarter == pytest.approx(0.841, abs=0.002)
    data = datasets.circles(n_samples=400_000)
    correct = (data.posterior(data.x_test) > 0.5) == data.y_test
    assert correct.mean() == pytest.approx(4 * quarter, abs=0.003)


@pytest.mark.parametrize("make", [datasets.circles, lambda n: datasets.blobs(n, one_hot=False)])
def test_posterior_is_calibrated(make):
    data = make(400_000)
    probability = data.posterior(data.x_test)[:, -1]
    is_last = data.y_test.ravel() == data.y_test.max()
    bins = pd.cut(probability, np.linspace(0, 1, 11), labels=False, include_lowest=True)
    table = pd.DataFrame({"p": probability, "y": is_last, "bin": bins}).groupby("bin").mean()
    np.testing.assert_allclose(table["p"], table["y"], atol=0.02)


@pytest.mark.parametrize(
    "make", [datasets.circles, lambda **kw: datasets.blobs(one_hot=False, **kw)]
)
def test_every_draw_has_the_ceiling_that_its_posterior_says(make):
    ceilings = []
    for seed in (0, 3, 8):
        data = make(n_samples=100_000, random_state=seed)
        probability = data.posterior(data.x_test)
        if probability.shape[1] == 1:
            probability = np.hstack([1 - probability, probability])
        ceilings.append(probability.max(axis=1).mean())
        accuracy = (probability.argmax(axis=1) == data.y_test[:, 0]).mean()
        assert accuracy == pytest.approx(ceilings[-1], abs=0.006)
    assert np.ptp(ceilings) < 0.006


def test_blobs_of_every_seed_have_the_same_centers():
    centers = sklearn.datasets.make_blobs(10, random_state=2, return_centers=True)[2]
    draws = [datasets.blobs(60_000, random_state=seed) for seed in (2, 7)]
    assert not np.isin(draws[0].x_train, draws[1].x_train).any()
    for data in draws:
        means = [data.x_train[data.y_train[:, k] == 1].mean(axis=0) for k in range(3)]
        np.testing.assert_allclose(means, centers, atol=0.1)
    # Centers of one's own are taken as they are, whatever the seed.
    own_centers = datasets.blobs(60_000, centers=[[0, 0, 5], [9, 0, 0]], random_state=7)
    first = own_centers.x_train[own_centers.y_train[:, 0] == 1]
    np.testing.assert_allclose(first.mean(axis=0), [0, 0, 5], atol=0.1)


def test_posterior_stays_a_probability_where_bessel_functions_overflow():
    data = datasets.circles(noise=0.001)
    x = np.array([[0, 0], [0.8, 0], [1, 0], [1e6, -1e6]])
    np.testing.assert_allclose(data.posterior(x), [[1], [1], [0], [0]], atol=1e-12)


@pytest.mark.parametrize("noise", [None, 0, 0.0])
def test_circles_without_noise_have_no_density(noise):
    data = datasets.circles(noise=noise)
    assert data.posterior is None
    np.testing.assert_allclose(
        np.linalg.norm(data.x_train, axis=1), np.where(data.y_train.ravel() == 1, 0.8, 1)
    )


@pytest.mark.parametrize("x", [[0.0, 1.0], [[0.0, 1.0, 2.0]], 1.0])
def test_posterior_takes_points(x):
    for data in (datasets.circles(), datasets.blobs()):
        with pytest.raises(ValueError, match=r"x has shape .* takes points \(n, 2\)"):
            data.posterior(x)


def test_blobs_are_the_published_problem_one_hot_or_as_integers():
    x, y = sklearn.datasets.make_blobs(
        n_samples=1000, centers=3, n_features=2, cluster_std=2, random_state=2
    )
    data, sparse = datasets.blobs(), datasets.blobs(one_hot=False)
    np.testing.assert_array_equal(np.vstack([data.x_train, data.x_test]), x)
    np.testing.assert_array_equal(sparse.x_train, data.x_train)
    np.testing.assert_array_equal(np.vstack([sparse.y_train, sparse.y_test]).ravel(), y)
    assert sparse.y_train.dtype.kind == "i"
    assert data.y_train.dtype == np.float64
    np.testing.assert_array_equal(data.y_train, y[:500, None] == np.arange(3))


@pytest.mark.parametrize(
    ("centers", "widths"),
    [
        # The centers that make_blobs draws with the default seed.
        (None, [2.0, 2.0, 2.0]),
        ([[0.0, 0.0], [1.0, 0.0]], [1.0, 3.0]),
    ],
)
def test_posterior_of_blobs_follows_from_the_densities(centers, widths):
    if centers is None:
        data = datasets.blobs()
        centers = sklearn.datasets.make_blobs(1000, random_state=2, return_centers=True)[2]
    else:
        data = datasets.blobs(centers=centers, cluster_std=widths)
    x = np.vstack([data.x_test[:100], [[0, 0], [500, 0], [-30, 1000]]])
    log_densities = [
        multivariate_normal(center, width**2).logpdf(x)
        for center, width in zip(centers, widths, strict=True)
    ]
    expected = np.exp(log_densities - logsumexp(log_densities, axis=0)).T
    np.testing.assert_allclose(data.posterior(x), expected, atol=1e-12)


@pytest.mark.parametrize("width", [0, -1.0, [1.0, 0.0, 1.0]])
def test_width_of_blobs_is_positive(width):
    with pytest.raises(ValueError, match=r"cluster_std=.* greater than 0"):
        datasets.blobs(cluster_std=width)


# Telco


def test_raw_telco_is_what_ibm_publishes():
    frame = datasets.telco_churn(as_frame=True)
    assert frame.shape == (7043, 20)
    assert (frame["Churn"] == "Yes").sum() == 1869
    blank = frame["TotalCharges"] == " "
    assert blank.sum() == 11
    assert (frame.loc[blank, "tenure"] == 0).all()
    # IBM's first customer.
    first = frame.iloc[0]
    assert first[["gender", "MultipleLines", "TotalCharges", "Churn"]].tolist() == [
        *("Female", "No phone service", "29.85", "No")
    ]


@pytest.fixture(scope="module")
def telco():
    return datasets.telco_churn()


def test_telco_columns_carry_the_raw_values(telco):
    raw = datasets.telco_churn(as_frame=True)
    columns = dict(
        zip(telco.feature_names, np.vstack([telco.x_train, telco.x_test]).T, strict=True)
    )
    expected = {
        "SeniorCitizen": raw["SeniorCitizen"].sum(),
        "gender_Male": (raw["gender"] == "Male").sum(),
        "MultipleLines_Yes": (raw["MultipleLines"] == "Yes").sum(),
        "TechSupport_Yes": (raw["TechSupport"] == "Yes").sum(),
        "InternetService_No": (raw["TechSupport"] == "No internet service").sum(),
        "PhoneService_Yes": (raw["MultipleLines"] != "No phone service").sum(),
        "Contract_Two year": (raw["Contract"] == "Two year").sum(),
    }
    assert {name: columns[name].sum() for name in expected} == expected
    # Scaled back by the two smallest values: the blank charges are the zeros.
    charges = columns["TotalCharges"]
    assert (charges == charges.min()).sum() == 11


def test_telco_rows_keep_their_labels(telco):
    raw = datasets.telco_churn(as_frame=True)
    columns = {name: i for i, name in enumerate(telco.feature_names)}
    x, y = np.vstack([telco.x_train, telco.x_test]), np.vstack([telco.y_train, telco.y_test])
    fiber = x[:, columns["InternetService_Fiber optic"]] == 1
    monthly = x[:, columns["Contract_Month-to-month"]] == 1
    churners = raw[raw["InternetService"].eq("Fiber optic") & raw["Contract"].eq("Month-to-month")]
    assert y[fiber & monthly].sum() == (churners["Churn"] == "Yes").sum()


def test_telco_is_split_and_scaled_as_documented(telco):
    assert telco.x_train.shape == (4695, 26)
    assert telco.x_test.shape == (2348, 26)
    assert telco.x_train.dtype == np.float64
    assert telco.y_train.dtype.kind == "i"
    assert telco.y_train.mean() == pytest.approx(telco.y_test.mean(), abs=5e-4)
    np.testing.assert_allclose(telco.x_train[:, :3].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(telco.x_train[:, :3].std(axis=0), 1)
    assert set(np.unique(telco.x_train[:, 3:])) == {0, 1}


def test_telco_has_no_column_twice(telco):
    # Each of the three one-hot groups adds up to 1, which makes two dependencies, and only two.
    assert len(np.unique(telco.x_train, axis=1).T) == 26
    assert np.linalg.matrix_rank(telco.x_train) == 24


def test_telco_can_be_learned(telco):
    model = LogisticRegression(max_iter=1000).fit(telco.x_train, telco.y_train.ravel())
    assert model.score(telco.x_test, telco.y_test.ravel()) > 0.78


# MNIST


@pytest.fixture(scope="module")
def digits():
    return datasets.mnist()


def test_mnist_subset_has_images_and_labels(digits):
    assert digits.x_train.shape == (8000, 28, 28, 1)
    assert digits.x_test.shape == (2000, 28, 28, 1)
    assert digits.x_train.dtype == np.float32
    assert (digits.x_train.min(), digits.x_train.max()) == (0, 1)
    assert digits.y_train.dtype == np.int64
    assert digits.class_names == tuple("0123456789")


def test_mnist_subset_is_stratified(digits):
    # How often each digit occurs in the 60,000 and 10,000 images of MNIST.
    train = np.array([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    test = np.array([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    assert np.abs(np.bincount(digits.y_train.ravel()) - train * 8 / 60).max() < 1
    assert np.abs(np.bincount(digits.y_test.ravel()) - test / 5).max() < 1


def test_mnist_images_match_their_labels(digits):
    x_train, x_test = (x.reshape(len(x), -1) for x in (digits.x_train, digits.x_test))
    means = np.array([x_train[digits.y_train.ravel() == k].mean(axis=0) for k in range(10)])
    nearest = ((x_test[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == digits.y_test.ravel()).mean() > 0.8


def test_mnist_training_and_test_images_are_disjoint(digits):
    rows = np.vstack([digits.x_train, digits.x_test]).reshape(10_000, -1)
    assert len(np.unique(rows, axis=0)) == 10_000


def test_mnist_by_seed_is_stratified_and_mixes_training_and_test_images(digits):
    published = np.bincount(np.concatenate([digits.y_train, digits.y_test]).ravel())
    data = datasets.mnist(random_state=0)
    assert np.abs(np.bincount(data.y_test.ravel()) - published / 5).max() <= 1
    test_images = {image.tobytes() for image in digits.x_test}
    share = np.mean([image.tobytes() in test_images for image in data.x_test])
    assert share == pytest.approx(0.2, abs=0.05)


def test_full_mnist_has_the_same_form(monkeypatch, digits):
    # Not the real download: tests run without the network.
    import keras

    images = (digits.x_train[:20, ..., 0] * 255).round().astype(np.uint8)
    labels = digits.y_train[:20, 0].astype(np.uint8)
    monkeypatch.setattr(
        keras.datasets.mnist, "load_data", lambda: ((images, labels), (images[:5], labels[:5]))
    )
    full = datasets.mnist(full=True)
    np.testing.assert_array_equal(full.x_train, digits.x_train[:20])
    np.testing.assert_array_equal(full.y_test, digits.y_train[:5])


def test_full_mnist_takes_a_seed_too(monkeypatch, digits):
    import keras

    images = (digits.x_train[:500, ..., 0] * 255).round().astype(np.uint8)
    labels = digits.y_train[:500, 0].astype(np.uint8)
    monkeypatch.setattr(
        keras.datasets.mnist, "load_data", lambda: ((images, labels), (images[:99], labels[:99]))
    )
    draws = [datasets.mnist(full=True, random_state=seed) for seed in (0, 0, 1)]
    assert [data.x_test.shape for data in draws] == [(99, 28, 28, 1)] * 3
    np.testing.assert_array_equal(draws[0].y_test, draws[1].y_test)
    assert not np.array_equal(draws[0].y_test, draws[2].y_test)


def test_full_mnist_without_network_points_to_the_subset(monkeypatch):
    import keras

    def fail():
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    with pytest.raises(ConnectionError, match=r"URL fetch failure.*mnist\(\) without full=True"):
        datasets.mnist(full=True)


# Data files


@pytest.fixture
def copied_data(monkeypatch, tmp_path):
    """Let the package read copies that a test may damage."""
    for path in DATA.glob("*.gz"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(datasets, "_DATA_FOLDERS", (tmp_path,))
    return tmp_path


def test_doctor_visits_are_the_published_counts():
    data = datasets.doctor_visits()
    y = np.concatenate([data.y_train, data.y_test])
    assert y.shape == (20190, 1)
    assert y.mean() == pytest.approx(2.8604, abs=1e-4)
    assert y.var(ddof=1) == pytest.approx(20.2893, abs=1e-4)
    np.testing.assert_allclose(data.x_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(data.x_train.std(axis=0), 1, rtol=1e-12)
    assert len(data.y_test) == pytest.approx(20190 / 3, rel=0.05)


def test_default_split_of_doctor_visits_is_that_of_scikit_learn(doctor_visits_frame):
    frame, persons = doctor_visits_frame
    split = GroupShuffleSplit(1, test_size=1 / 3, random_state=0)
    train, test = next(split.split(frame, groups=persons))
    data = datasets.doctor_visits()
    np.testing.assert_array_equal(data.y_train[:, 0], frame["mdvis"].iloc[train])
    np.testing.assert_array_equal(data.y_test[:, 0], frame["mdvis"].iloc[test])


@pytest.mark.parametrize("test_size", [0.01, 0.5, 0.97])
def test_doctor_visits_have_as_many_rows_for_each_seed_whatever_the_share(test_size):
    draws = [datasets.doctor_visits(test_size, random_state=seed) for seed in range(8)]
    assert len({len(data.y_test) for data in draws}) == 1
    assert len(draws[0].y_test) == pytest.approx(20190 * test_size, rel=0.05, abs=60)


@pytest.fixture(scope="module")
def doctor_visits_frame():
    frame = pd.read_csv(DATA / "doctor_visits.csv.gz")
    features = frame.drop(columns="mdvis")
    return frame, features.ne(features.shift()).any(axis=1).cumsum()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_doctor_visits_of_a_person_stay_on_one_side(seed):
    """Far fewer test rows repeat the features of a training row than in a split by rows."""
    data = datasets.doctor_visits(random_state=seed)
    train = {tuple(row) for row in data.x_train.round(9)}
    shared = np.mean([tuple(row) in train for row in data.x_test.round(9)])
    y = np.concatenate([data.y_train, data.y_test])
    x = np.concatenate([data.x_train, data.x_test])
    order = np.random.default_rng(0).permutation(len(y))
    rows = {tuple(row) for row in x[order[: len(data.x_train)]].round(9)}
    by_row = np.mean([tuple(row) in rows for row in x[order[len(data.x_train) :]].round(9)])
    assert shared < 0.75 < 0.95 < by_row


LOADERS = [
    ("telco_churn.csv.gz", datasets.telco_churn),
    ("mnist_subset.npy.gz", datasets.mnist),
    ("doctor_visits.csv.gz", datasets.doctor_visits),
]
REMEDY = r"`git checkout -- data/{0}` or `python data/build\.py` restores .* reinstall lossutils"


@pytest.mark.parametrize(("name", "load"), LOADERS)
def test_missing_data_file(copied_data, name, load):
    (copied_data / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} is missing.*{REMEDY.format(name)}"):
        load()


@pytest.mark.parametrize(("name", "load"), LOADERS)
def test_changed_data_file(copied_data, name, load):
    path = copied_data / name
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-2] ^= 1
    path.write_bytes(gzip.compress(content, 1))
    found = hashlib.sha256(content).hexdigest()
    expected = datasets._SHA256[name]
    message = f"{name} is not .* sha256 {found}, expected {expected}.*{REMEDY.format(name)}"
    with pytest.raises(ValueError, match=message):
        load()


@pytest.mark.parametrize("damage", [lambda b: b[:5000], lambda b: b"PK" + b, lambda b: b""])
@pytest.mark.parametrize(("name", "load"), LOADERS)
def test_damaged_data_file(copied_data, name, load, damage):
    path = copied_data / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=REMEDY.format(name)):
        load()


@pytest.mark.parametrize(("name", "load"), LOADERS)
def test_data_file_may_be_compressed_by_another_zlib(copied_data, name, load):
    path = copied_data / name
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1))
    load()


def test_hashes_agree_in_package_script_and_readme():
    script = runpy.run_path(str(DATA / "build.py"))["SHA256"]
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    for name, expected in datasets._SHA256.items():
        assert script[name.removesuffix(".gz")] == expected
        assert expected in readme
        assert f"{(DATA / name).stat().st_size:,}" in readme
