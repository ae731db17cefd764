"""The problems that the book trains on: a function for each, and `Dataset` for your own arrays.

Each function takes ``random_state``, and the shapes that it returns are the same for every seed.
So ``lambda seed: datasets.circles(random_state=seed)`` draws one problem again and again, and
`training.repeat` takes it in place of a `Dataset`. What a seed draws:

* `circles`, `blobs`: new rows of the same process, so the best possible classifier and
  ``posterior`` stay the same.
* `regression`, `regression_with_outliers`, `positive_targets`: a new problem of the same kind, with
  coefficients, rows and outliers of its own.
* `diabetes`, `telco_churn`, `doctor_visits`, `mnist`: a new split of the same table. The test sets
  of two seeds overlap.
"""

import functools
import gzip
import hashlib
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse
import sklearn.datasets
from scipy.special import expit, i0e, softmax
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import check_random_state

__all__ = [
    "Dataset",
    "blobs",
    "circles",
    "diabetes",
    "doctor_visits",
    "mnist",
    "positive_targets",
    "regression",
    "regression_with_outliers",
    "telco_churn",
]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Dataset:
    """Training and test rows of one problem.

    Make a variant with `dataclasses.replace(data, y_train=..., y_test=...)`.

    Parameters
    ----------
    x_train, x_test : array-like of shape (n, ...), or dict or list of them
        Numbers; a NumPy array, a pandas object or nested lists. At least two dimensions. A model
        with several inputs takes a dict or a list of arrays, all with n rows.
    y_train, y_test : array-like of shape (n,) or (n, k), or dict or list of them
        Targets. 1-D targets become (n, 1). Integer labels stay integers: booleans and unsigned
        integers become int64. A model with several outputs takes a dict or a list of arrays.
    name, description : str
        A short name and a sentence or two about the problem.
    feature_names, class_names : sequence of str, optional
        Names of the columns of a two-dimensional `x`, and of the classes in the order of their
        labels.
    target_name : str, optional
        Name of the target, with its unit.
    target_scaler : object, optional
        The fitted scikit-learn scaler of the target:
        `data.target_scaler.inverse_transform(y)` gives back the original units.
    posterior : callable, optional
        Maps x of shape (n, d) to P(y = 1 | x) of shape (n, 1), or to class probabilities of
        shape (n, k). Only where the process that generates the data is known.

    Raises
    ------
    TypeError
        A field does not hold real numbers.
    ValueError
        A field is empty, has too few dimensions, holds NaN or infinity, or does not fit another
        field.

    Examples
    --------
    >>> from lossutils.datasets import Dataset
    >>> x, y = [[20, 1], [30, 0], [40, 1], [50, 0]], [0, 1, 1, 0]
    >>> data = Dataset(x_train=x[:3], y_train=y[:3], x_test=x[3:], y_test=y[3:])
    >>> data.x_train.shape, data.y_train.shape
    ((3, 2), (3, 1))

    Two targets, for a model whose outputs have these names:

    >>> y = {"price": [3.0, 1.0, 2.0], "sold": [1, 0, 1]}
    >>> data = Dataset(x_train=x[:3], y_train=y, x_test=x[:3], y_test=y)
    >>> data
    Dataset('', x_train: (3, 2) int64, y_train: {price: (3, 1) float64, sold: (3, 1) int64}, \
x_test: (3, 2) int64, y_test: {price: (3, 1) float64, sold: (3, 1) int64})
    """

    x_train: np.ndarray | dict | list
    y_train: np.ndarray | dict | list
    x_test: np.ndarray | dict | list
    y_test: np.ndarray | dict | list
    name: str = ""
    description: str = ""
    feature_names: tuple[str, ...] | None = None
    class_names: tuple[str, ...] | None = None
    target_name: str | None = None
    target_scaler: object | None = None
    posterior: Callable | None = None

    def __post_init__(self):
        for split in ("train", "test"):
            fields = f"x_{split}", f"y_{split}"
            several = _are_several(*(getattr(self, field) for field in fields))
            for field, prepare, are_several in zip(
                fields, (_features, _targets), several, strict=True
            ):
                value = _each(prepare, field, getattr(self, field), are_several)
                object.__setattr__(self, field, value)
            self._check_rows(*fields)
        for kind in ("x", "y"):
            train, test = (_leaves(f"{kind}_{part}", self) for part in ("train", "test"))
            if len(train) != len(test):
                raise ValueError(
                    f"{kind}_train has {', '.join(train)} and {kind}_test {', '.join(test)}: "
                    "give both the same arrays."
                )
            for (name, of_train), (its_name, of_test) in zip(
                train.items(), test.items(), strict=True
            ):
                _check_alike(name, of_train, its_name, of_test)
        for field in ("feature_names", "class_names"):
            object.__setattr__(self, field, _names(field, getattr(self, field)))
        self._check_names()

    def _check_rows(self, x_field, y_field):
        """Raise where arrays of features and targets differ in their number of rows."""
        (first, of_first), *others = (_leaves(x_field, self) | _leaves(y_field, self)).items()
        for name, array in others:
            if len(array) != len(of_first):
                remedy = "one target for each row of x" if name == y_field else "all the same rows"
                raise ValueError(
                    f"{first} has {len(of_first)} rows and {name} has {len(array)}: give {remedy}."
                )

    def _check_names(self):
        for field, array in (("feature_names", self.x_train), ("class_names", self.y_train)):
            if getattr(self, field) is not None and not isinstance(array, np.ndarray):
                raise ValueError(f"{field} are for one array, not for a {type(array).__name__}.")
        if self.feature_names is not None and self.x_train.shape[1:] != (len(self.feature_names),):
            raise ValueError(
                f"feature_names has {len(self.feature_names)} names, but a row of x has shape "
                f"{self.x_train.shape[1:]}: give one name for each column."
            )
        if self.class_names is None:
            return
        columns, names = self.y_train.shape[1], len(self.class_names)
        if columns > 1 and columns != names:
            raise ValueError(
                f"class_names has {names} names, but y has {columns} columns: "
                "give one name for each column."
            )
        largest = max(self.y_train.max(), self.y_test.max())
        if columns == 1 and largest >= names:
            raise ValueError(
                f"class_names has {names} names, but y holds the label {largest}: "
                f"labels count from 0, so the largest is {names - 1}."
            )

    def __repr__(self):
        fields = ("x_train", "y_train", "x_test", "y_test")
        shapes = ", ".join(f"{field}: {_described(getattr(self, field))}" for field in fields)
        return f"Dataset({self.name!r}, {shapes})"


def _described(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_described(each)}" for name, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_described, value)) + "]"
    return f"{value.shape} {value.dtype}"


def _are_several(x, y):
    """Tell for features and targets whether each holds several arrays; a list may hold rows."""
    as_rows = [isinstance(x, dict), isinstance(y, dict)]
    as_arrays = [as_rows[0] or _holds_arrays(x, 2), as_rows[1] or _holds_arrays(y, 1)]
    return as_rows if _agree(x, y, as_rows) and not _agree(x, y, as_arrays) else as_arrays


def _holds_arrays(value, dimensions):
    return (
        isinstance(value, (list, tuple))
        and len(value) > 0
        and all(getattr(each, "ndim", 0) >= dimensions for each in value)
    )


def _agree(x, y, several):
    """Tell whether all arrays have the same number of rows."""
    lengths = set()
    for value, parts in zip((x, y), several, strict=True):
        values = value.values() if isinstance(value, dict) else value
        lengths |= set(map(_length, values if parts else [value]))
    return len(lengths) == 1


def _length(value):
    shape = getattr(value, "shape", None)
    return shape[0] if shape else len(value) if isinstance(value, (list, tuple)) else None


def _each(prepare, field, value, several):
    """Prepare an array, or each of several."""
    if not several:
        return prepare(field, value)
    if not value:
        raise ValueError(f"{field} is an empty {type(value).__name__}: give at least one array.")
    if isinstance(value, dict):
        return {
            name: prepare(_name_of_part(field, name, each), each) for name, each in value.items()
        }
    return type(value)(prepare(_name_of_part(field, i, each), each) for i, each in enumerate(value))


def _name_of_part(field, key, value):
    name = f"{field}[{key!r}]"
    if isinstance(value, dict):
        raise TypeError(
            f"{name} is a dict: name arrays on one level, or train with model.fit, which takes "
            "deeper ones."
        )
    return name


def _leaves(field, data):
    """Return the arrays of a field by the names that a message calls them."""
    value = getattr(data, field)
    if isinstance(value, dict):
        return {f"{field}[{name!r}]": value[name] for name in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return {f"{field}[{i}]": each for i, each in enumerate(value)}
    return {field: value}


def _check_alike(name, train, its_name, test):
    """Raise where arrays of the training and the test rows differ in name or shape."""
    if name.replace("_train", "", 1) != its_name.replace("_test", "", 1):
        raise ValueError(f"There is a {name} and an {its_name}: give both the same arrays.")
    if train.shape[1:] != test.shape[1:]:
        raise ValueError(
            f"A row of {name} has shape {train.shape[1:]} and a row of {its_name} "
            f"{test.shape[1:]}: prepare both with the same steps."
        )


def _features(field, value):
    x = _numbers(field, value)
    if x.ndim < 2:
        raise ValueError(
            f"{field} has shape {x.shape}: it needs rows and columns; "
            f"for one feature use {field}.reshape(-1, 1)."
        )
    return x.astype(np.float64) if x.dtype.kind == "b" else x


def _targets(field, value):
    y = _numbers(field, value)
    if y.ndim == 0:
        raise ValueError(f"{field} is a single number: give one target for each row of x.")
    if y.dtype.kind in "bu":
        # Unsigned labels wrap around in arithmetic such as 2 * y - 1.
        y = y.astype(np.int64)
    # A loss between (n,) and (n, 1) would broadcast to (n, n).
    return y[:, np.newaxis] if y.ndim == 1 else y


def _numbers(field, value):
    if scipy.sparse.issparse(value):
        raise TypeError(f"{field} is a sparse matrix: convert it with {field}.toarray().")
    if np.ma.is_masked(value):
        raise ValueError(f"{field} has masked values: fill or drop them first.")
    if isinstance(value, pd.DataFrame):
        value = _frame_to_array(field, value)
    elif isinstance(value, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        value = _column_to_array(value)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{field} is not a rectangular array ({error}): give every row the same shape."
        ) from error
    if array.dtype.kind in "mM":
        raise TypeError(
            f"{field} has dtype {array.dtype}, dates or durations: turn them into numbers with a "
            "unit first, such as days since the first of them."
        )
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{field} has dtype {array.dtype}, not real numbers: encode text and categories "
            "(for instance with scikit-learn's OneHotEncoder or LabelEncoder), "
            "or convert it with .astype(float)."
        )
    if array.size == 0:
        raise ValueError(
            f"{field} is empty (shape {array.shape}): give at least one row and one column."
        )
    bad = array.size - np.count_nonzero(np.isfinite(array))
    if bad:
        raise ValueError(
            f"{field} has {bad} values that are NaN or infinite: fill or drop them first; "
            "one of them turns the loss and every weight into NaN."
        )
    return array


def _frame_to_array(field, frame):
    text = [str(name) for name, dtype in frame.dtypes.items() if not _is_real(dtype)]
    if text:
        raise TypeError(
            f"{field} has columns that are not numbers ({', '.join(text)}): encode them first, "
            "for instance with pandas.get_dummies or scikit-learn's OneHotEncoder."
        )
    types = set(frame.dtypes)
    if len(types) != 1 or frame.isna().to_numpy().any():
        # pandas makes objects of columns of bool and float, as get_dummies returns them, and of
        # nullable integers.
        return frame.to_numpy(dtype=np.float64, na_value=np.nan)
    return frame.to_numpy(dtype=_plain_type(types.pop()))


def _column_to_array(column):
    if _is_real(column.dtype) and pd.isna(column).any():
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return column.to_numpy(dtype=_plain_type(column.dtype))


def _plain_type(dtype):
    """Return the type in NumPy of one of pandas's nullable types, or None for all others."""
    return getattr(dtype, "numpy_dtype", None)


def _is_real(dtype):
    return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype)


def _names(field, value):
    if value is None:
        return None
    if isinstance(value, str):
        raise TypeError(f"{field} is the string {value!r}: give a sequence of names.")
    return tuple(str(name) for name in value)


# Problems that are drawn from a known process


def regression(n_samples=1000, n_features=20, noise=0.1, random_state=1):
    """Linear regression with almost no noise: a problem that a small network solves.

    Features and targets are standardized with the mean and standard deviation of the training
    rows. Ten of the features carry the signal (all, if there are fewer).

    Parameters
    ----------
    n_samples : int
        Rows; the first half is for training, the second for testing.
    n_features : int
        Columns of x.
    noise : float
        Standard deviation of the Gaussian noise, in the original units of the target (whose own
        standard deviation is about 150 for the default problem).
    random_state : int
        Seed of the problem: coefficients, rows and noise are drawn anew.

    Returns
    -------
    Dataset
        x of shape (n, n_features), y of shape (n, 1), both float64, with `target_scaler`.

    See Also
    --------
    sklearn.datasets.make_regression : draws the problem.

    Examples
    --------
    >>> from lossutils import datasets
    >>> data = datasets.regression()
    >>> data.x_train.shape, data.y_train.shape
    ((500, 20), (500, 1))
    """
    x, y = sklearn.datasets.make_regression(
        n_samples=n_samples, n_features=n_features, noise=noise, random_state=random_state
    )
    return _standardized(
        *_halves(x, y),
        name="regression",
        description=f"{n_samples} rows of make_regression with {n_features} features, "
        "standardized by the training rows.",
        target_name="target (standard deviations)",
    )


def regression_with_outliers(
    fraction=0.05, shift=10.0, random_state=1, *, n_samples=1000, n_features=20, noise=0.1
):
    """`regression` with a few training targets moved far upwards; the test set stays clean.

    Parameters
    ----------
    fraction : float
        Share of the training targets that move, from 0 to 1.
    shift : float
        How far they move, in standard deviations of the clean training targets.
    random_state : int
        Seed of the problem and of the choice of rows. How many rows move is the same for each.
    n_samples, n_features, noise
        As for `regression`.

    Returns
    -------
    Dataset
        As `regression` with the same arguments, but for the moved training targets.
        `target_scaler` knows the clean targets.

    Raises
    ------
    TypeError, ValueError
        `fraction` or `shift` is not a finite number, or `fraction` lies outside 0 to 1.

    Examples
    --------
    >>> from lossutils import datasets
    >>> clean, data = datasets.regression(), datasets.regression_with_outliers(fraction=0.1)
    >>> int((data.y_train != clean.y_train).sum()), int((data.y_test != clean.y_test).sum())
    (50, 0)
    """
    _check_number("fraction", fraction)
    _check_number("shift", shift)
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction={fraction} is not a share: give a number from 0 to 1.")
    clean = regression(
        n_samples=n_samples, n_features=n_features, noise=noise, random_state=random_state
    )
    y = clean.y_train.copy()
    rng = np.random.default_rng(random_state)
    rows = rng.choice(len(y), size=round(fraction * len(y)), replace=False)
    y[rows] += shift
    return replace(
        clean,
        y_train=y,
        name="regression with outliers",
        description=f"{clean.description} {len(rows)} training targets are moved by {shift:g} "
        "standard deviations; the test targets are clean.",
    )


def positive_targets(n_samples=1000, n_features=5, noise=0.5, random_state=1):
    r"""Positive targets over two to three orders of magnitude, with multiplicative noise.

    Prices, populations and durations look like this. The features are independent standard
    normal variables, and

    .. math:: \ln y = \ln 100 + w^\top x + 0.3\, x_1 x_2 + \varepsilon,
              \qquad \varepsilon \sim \mathcal{N}(0, \text{noise}^2)

    where :math:`w` is a random direction of length 1. Given x, the median of y is
    :math:`100 \exp(w^\top x + 0.3\, x_1 x_2)`, which minimizes the squared error of ln y; the
    mean is larger by the factor :math:`\exp(\text{noise}^2 / 2)`. Almost every y is far above 1,
    where ln(1 + y), which the mean squared logarithmic error compares, is close to ln y.

    Parameters
    ----------
    n_samples : int
        Rows; the first half is for training, the second for testing.
    n_features : int
        Columns of x, at least 2.
    noise : float
        Standard deviation of ln y given x. At the default 0.5 a target lies within a factor of
        2.7 of its median 95 times in 100.
    random_state : int
        Seed of the problem: the direction w, rows and noise are drawn anew.

    Returns
    -------
    Dataset
        x of shape (n, n_features), standardized by the training rows; y of shape (n, 1), in its
        original units; both float64.

    Raises
    ------
    TypeError, ValueError
        An argument is not a finite number, `n_features` is less than 2, or `noise` is negative.

    Examples
    --------
    >>> from lossutils import datasets
    >>> data = datasets.positive_targets()
    >>> bool((data.y_train > 0).all())
    True
    """
    _check_number("n_samples", n_samples, Integral)
    _check_number("n_features", n_features, Integral)
    _check_number("noise", noise)
    if n_features < 2:
        raise ValueError(f"n_features={n_features}: the process needs at least 2 features.")
    if noise < 0:
        raise ValueError(f"noise={noise} is a standard deviation: give 0 or more.")
    rng = np.random.default_rng(random_state)
    weights = rng.normal(size=n_features)
    weights /= np.linalg.norm(weights)
    x = rng.normal(size=(n_samples, n_features))
    log_median = np.log(100) + x @ weights + 0.3 * x[:, 0] * x[:, 1]
    y = np.exp(log_median + noise * rng.normal(size=n_samples))
    x_train, x_test, y_train, y_test = _halves(x, y)
    scaler = StandardScaler().fit(x_train)
    return Dataset(
        x_train=scaler.transform(x_train),
        y_train=y_train,
        x_test=scaler.transform(x_test),
        y_test=y_test,
        name="positive targets",
        description=f"{n_samples} rows with log-normal noise of standard deviation {noise:g} "
        "on ln y.",
        target_name="target (original units)",
    )


def circles(n_samples=1000, noise=0.1, factor=0.8, random_state=1):
    """Two concentric circles blurred by noise: a binary problem that no line separates.

    Class 0 lies on the circle of radius 1, class 1 on the inner one.

    Parameters
    ----------
    n_samples : int
        Rows; the first half is for training, the second for testing.
    noise : float or None
        Standard deviation of the Gaussian noise on each coordinate.
    factor : float
        Radius of the inner circle, from 0 to 1 (exclusive).
    random_state : int
        Seed of the rows.

    Returns
    -------
    Dataset
        x of shape (n, 2), float64, not scaled; y of shape (n, 1), integers 0 and 1; and, unless
        `noise` is 0 or None, `posterior`, the probability of class 1 of shape (n, 1).

    See Also
    --------
    sklearn.datasets.make_circles : draws the problem.

    Examples
    --------
    The best possible classifier predicts the likelier class. How often it is right on these rows:

    >>> from lossutils import datasets
    >>> data = datasets.circles()
    >>> best = data.posterior(data.x_test) > 0.5
    >>> round(float((best == data.y_test).mean()), 2)
    0.85
    """
    x, y = sklearn.datasets.make_circles(
        n_samples=n_samples, noise=noise, factor=factor, random_state=random_state
    )
    x_train, x_test, y_train, y_test = _halves(x, y)
    return Dataset(
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        name="circles",
        description=f"Two circles of radius 1 (class 0) and {factor:g} (class 1), {n_samples} rows "
        f"with noise of standard deviation {noise or 0:g}.",
        feature_names=("x1", "x2"),
        class_names=("outer circle", "inner circle"),
        target_name="class",
        posterior=functools.partial(_circles_posterior, noise=noise, factor=factor)
        if noise
        else None,
    )


def blobs(
    n_samples=1000, centers=3, cluster_std=2.0, random_state=2, one_hot=True, *, n_features=2
):
    """Overlapping Gaussian clusters, one a class.

    Parameters
    ----------
    n_samples : int
        Rows; the first half is for training, the second for testing.
    centers : int or array-like of shape (k, n_features)
        Number of classes, or the centers of the clusters. A number has the same centers for every
        `random_state`.
    cluster_std : float or array-like of shape (k,)
        Standard deviation of each coordinate within a cluster, greater than 0.
    random_state : int
        Seed of the rows.
    one_hot : bool
        Targets as one-hot rows (for categorical cross-entropy) or as integers (for its sparse
        form).
    n_features : int
        Columns of x.

    Returns
    -------
    Dataset
        x of shape (n, n_features), float64, not scaled; y one-hot float64 of shape (n, k), or
        integers of shape (n, 1); `posterior`, the probabilities of the classes, of shape (n, k).

    Raises
    ------
    TypeError, ValueError
        A `cluster_std` is not a number greater than 0.

    See Also
    --------
    sklearn.datasets.make_blobs : draws the problem.

    Examples
    --------
    >>> from lossutils import datasets
    >>> datasets.blobs().y_train[0].tolist()
    [0.0, 0.0, 1.0]
    >>> datasets.blobs(one_hot=False).y_train[0].tolist()
    [2]
    """
    if _numbers("cluster_std", cluster_std).min() <= 0:
        raise ValueError(f"cluster_std={cluster_std}: give standard deviations greater than 0.")
    draw = functools.partial(
        sklearn.datasets.make_blobs, centers=centers, n_features=n_features, return_centers=True
    )
    x, y, drawn = draw(n_samples, cluster_std=cluster_std, random_state=random_state)
    # make_blobs draws a number of centers anew for each seed. Some lie far apart and some on top
    # of each other, so that no two seeds would be equally hard; those of the default seed stay.
    means = draw(len(drawn), random_state=2)[2]
    x += (means - drawn)[y]
    classes = len(means)
    x_train, x_test, y_train, y_test = _halves(x, np.eye(classes)[y] if one_hot else y)
    return Dataset(
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        name="blobs",
        description=f"{n_samples} rows in {classes} Gaussian clusters, one a class.",
        feature_names=tuple(f"x{i + 1}" for i in range(x.shape[1])),
        class_names=tuple(f"class {k}" for k in range(classes)),
        target_name="class",
        posterior=functools.partial(
            _blobs_posterior, centers=means, cluster_std=np.broadcast_to(cluster_std, classes)
        ),
    )


def _circles_posterior(x, noise, factor):
    # A point of a circle of radius R plus isotropic Gaussian noise has a density proportional to
    # exp(-(r^2 + R^2) / (2 s^2)) I0(r R / s^2) at distance r from the center (the Rice
    # distribution). I0 overflows early; i0e(z) = exp(-z) I0(z) does not, and what remains of the
    # two exponents, (r - 1)^2 - (r - factor)^2, is linear in r.
    r = np.linalg.norm(_points(x, 2), axis=1, keepdims=True)
    exponents = (1 - factor) * (1 + factor - 2 * r) / (2 * noise**2)
    inner, outer = i0e(r * factor / noise**2), i0e(r / noise**2)
    return expit(exponents + np.log(inner) - np.log(outer))


def _blobs_posterior(x, centers, cluster_std):
    x = _points(x, centers.shape[1])
    squares = ((x[:, np.newaxis, :] - centers) ** 2).sum(axis=2)
    return softmax(-squares / (2 * cluster_std**2) - centers.shape[1] * np.log(cluster_std), axis=1)


def _points(x, columns):
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != columns:
        raise ValueError(f"x has shape {x.shape}: the posterior takes points (n, {columns}).")
    return x


def _check_number(name, value, kind=Real):
    whole = "whole " if kind is Integral else ""
    if isinstance(value, bool) or not isinstance(value, kind):
        raise TypeError(f"{name}={value!r} is not a {whole}number: give one.")
    if not np.isfinite(value):
        raise ValueError(f"{name}={value} is not finite: give a {whole}number that is.")


def _halves(x, y):
    if len(x) < 2:
        raise ValueError(f"n_samples={len(x)} leaves one half empty: give 2 or more.")
    half = len(x) // 2
    return x[:half], x[half:], y[:half], y[half:]


def _standardized(x_train, x_test, y_train, y_test, **fields):
    y_train, y_test = y_train.reshape(-1, 1), y_test.reshape(-1, 1)
    x_scaler, y_scaler = StandardScaler().fit(x_train), StandardScaler().fit(y_train)
    return Dataset(
        x_train=x_scaler.transform(x_train),
        y_train=y_scaler.transform(y_train),
        x_test=x_scaler.transform(x_test),
        y_test=y_scaler.transform(y_test),
        target_scaler=y_scaler,
        **fields,
    )


# Real data


def diabetes(test_size=1 / 3, random_state=0):
    """Progression of diabetes a year after ten measurements of 442 patients.

    Parameters
    ----------
    test_size : float or int
        Share, or number, of rows for testing.
    random_state : int
        Seed of the split.

    Returns
    -------
    Dataset
        x of shape (n, 10) and y of shape (n, 1), float64, both standardized by the training
        rows, with `feature_names` and `target_scaler` (the original target runs from 25 to 346).

    See Also
    --------
    sklearn.datasets.load_diabetes : holds the data and its source.

    Examples
    --------
    A standard deviation of the target, in its original unit:

    >>> from lossutils import datasets
    >>> data = datasets.diabetes()
    >>> round(float(data.target_scaler.scale_[0]))
    79
    """
    bunch = sklearn.datasets.load_diabetes(scaled=False)
    return _standardized(
        *train_test_split(bunch.data, bunch.target, test_size=test_size, random_state=random_state),
        name="diabetes",
        description="Ten measurements of 442 diabetes patients, and how far the disease "
        "progressed in a year; standardized by the training rows.",
        feature_names=bunch.feature_names,
        target_name="disease progression (standard deviations)",
    )


def telco_churn(as_frame=False, test_size=1 / 3, random_state=0):
    """Who leaves a telephone and internet company: IBM's sample data on 7043 customers.

    The company is fictional. 26.5 % of its customers churn.

    Parameters
    ----------
    as_frame : bool
        Return the data as IBM publishes them, less the column customerID: nothing is encoded,
        split or repaired, and TotalCharges is text, since it is blank for the 11 customers whose
        tenure is 0.
    test_size : float or int
        Share, or number, of rows for testing. The split is stratified by churn.
    random_state : int
        Seed of the split.

    Returns
    -------
    Dataset or pandas.DataFrame
        x of shape (n, 26), float64: tenure, MonthlyCharges and TotalCharges (blank: 0)
        standardized by the training rows; SeniorCitizen as it is; a 0/1 column for each other
        two-valued feature, named after the value that is 1; a one-hot column for each value of
        the others. y of shape (n, 1), integers: 1 means churn. With `as_frame=True` a DataFrame
        of shape (7043, 20).

    Raises
    ------
    FileNotFoundError, ValueError
        The data file is missing, or not what was published.

    Examples
    --------
    >>> from lossutils import datasets
    >>> data = datasets.telco_churn()
    >>> data.class_names, round(float(data.y_train.mean()), 3)
    (('stays', 'leaves'), 0.265)
    """
    content = _read_data("telco_churn.csv.gz")
    frame = pd.read_csv(io.BytesIO(content))
    if as_frame:
        return frame
    y = (frame.pop("Churn") == "Yes").astype(int)
    frame["TotalCharges"] = pd.to_numeric(frame["TotalCharges"].replace(" ", "0"))
    # Who has no internet has "No internet service" in six more columns (and who has no phone,
    # "No phone service" in one): as one-hot columns these would repeat InternetService_No six
    # times. Without the service there is no add-on either, so "No" loses nothing.
    frame = frame.replace({"No internet service": "No", "No phone service": "No"})
    x_train, x_test, y_train, y_test = train_test_split(
        frame, y, test_size=test_size, random_state=random_state, stratify=y
    )
    numeric = ["tenure", "MonthlyCharges", "TotalCharges"]
    categorical = list(frame.columns.drop([*numeric, "SeniorCitizen"]))
    encoder = make_column_transformer(
        (StandardScaler(), numeric),
        ("passthrough", ["SeniorCitizen"]),
        (OneHotEncoder(drop="if_binary", sparse_output=False), categorical),
        verbose_feature_names_out=False,
    ).fit(x_train)
    return Dataset(
        x_train=encoder.transform(x_train),
        y_train=y_train,
        x_test=encoder.transform(x_test),
        y_test=y_test,
        name="telco churn",
        description="IBM sample data on 7043 customers of a fictional telephone and internet "
        "company: contract, services and charges, and whether the customer leaves.",
        feature_names=encoder.get_feature_names_out(),
        class_names=("stays", "leaves"),
        target_name="churn",
    )


def doctor_visits(test_size=1 / 3, random_state=0):
    """How often people see a doctor in a year: 20,190 rows of the RAND health experiment.

    The mean is 2.86 visits, the variance 20.3, and 31 % of the rows have none: counts with far
    more spread than a Poisson distribution of that mean.

    Parameters
    ----------
    test_size : float
        Share of the persons for testing. Most persons appear in three or five years, in rows
        that share all features; the rows of a person stay on one side of the split.
    random_state : int
        Seed of the split. The number of test rows is that of seed 0 for each: persons go to the
        test set in random order, as long as their rows fit.

    Returns
    -------
    Dataset
        x of shape (n, 9), float64, standardized by the training rows; y of shape (n, 1), integers:
        visits in a year.

    Raises
    ------
    FileNotFoundError, ValueError
        The data file is missing, or not what was published.

    Notes
    -----
    From the RAND Health Insurance Experiment, as A. C. Cameron and P. K. Trivedi use it in
    *Microeconometrics: Methods and Applications* (Cambridge University Press, 2005).

    Examples
    --------
    >>> from lossutils import datasets
    >>> data = datasets.doctor_visits()
    >>> data.x_train.shape, data.x_test.shape
    ((13516, 9), (6674, 9))
    """
    frame = pd.read_csv(io.BytesIO(_read_data("doctor_visits.csv.gz")))
    y = frame.pop("mdvis")
    persons = frame.ne(frame.shift()).any(axis=1).cumsum()
    train, test = _split_by_person(persons.to_numpy(), test_size, random_state)
    scaler = StandardScaler().fit(frame.iloc[train])
    return Dataset(
        x_train=scaler.transform(frame.iloc[train]),
        y_train=y.iloc[train],
        x_test=scaler.transform(frame.iloc[test]),
        y_test=y.iloc[test],
        name="doctor visits",
        description="RAND Health Insurance Experiment: outpatient visits to a doctor in a year, "
        "by insurance plan and health.",
        feature_names=frame.columns,
        target_name="visits in a year",
    )


def _split_by_person(persons, test_size, random_state):
    """Return training and test rows: GroupShuffleSplit, with as many test rows for each seed."""

    def shuffled(seed):
        splitter = GroupShuffleSplit(1, test_size=test_size, random_state=seed)
        return next(splitter.split(persons, groups=persons))

    rng = check_random_state(random_state)
    room = len(shuffled(0)[1])
    drawn = shuffled(rng)[1]
    everyone, years = np.unique(persons, return_counts=True)
    order = rng.permutation(len(everyone))
    # Who GroupShuffleSplit draws comes first, so that seed 0 keeps the split that it makes.
    order = order[np.argsort(~np.isin(everyone[order], persons[drawn]), kind="stable")]
    chosen = []
    for person in order:
        if years[person] <= room:
            chosen.append(everyone[person])
            room -= years[person]
    in_test = np.isin(persons, chosen)
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def mnist(full=False, random_state=None):
    """Handwritten digits, 28 by 28 pixels.

    Parameters
    ----------
    full : bool
        False: 8,000 of the training and 2,000 of the test images, each digit in proportion to
        its frequency, from a file that comes with the package. True: all 60,000 and 10,000
        through `keras.datasets.mnist.load_data`, which downloads 11 MB once.
    random_state : int, optional
        Seed of a new split of the same images, into parts of the same size and stratified by
        digit. By default the split that MNIST was published with, where nobody who wrote a
        training image wrote a test image; a new split mixes the writers.

    Returns
    -------
    Dataset
        x of shape (n, 28, 28, 1), float32 from 0 (paper) to 1 (ink); y of shape (n, 1),
        integers 0 to 9.

    Raises
    ------
    FileNotFoundError, ValueError
        The data file is missing, or not what was published.
    ConnectionError
        `full=True`, and Keras could not download the images.

    Examples
    --------
    >>> from lossutils import datasets
    >>> data = datasets.mnist()
    >>> data.x_train.shape, data.y_test.shape
    ((8000, 28, 28, 1), (2000, 1))
    """
    if full:
        (x_train, y_train), (x_test, y_test) = _full_mnist()
    else:
        rows = np.load(io.BytesIO(_read_data("mnist_subset.npy.gz")))
        x, y = rows[:, 1:].reshape(-1, 28, 28), rows[:, 0]
        x_train, x_test, y_train, y_test = x[:8000], x[8000:], y[:8000], y[8000:]
    if random_state is not None:
        x, y = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
        x_train, x_test, y_train, y_test = train_test_split(
            x, y, test_size=len(x_test), random_state=random_state, stratify=y
        )
    return Dataset(
        x_train=_pixels(x_train),
        y_train=y_train,
        x_test=_pixels(x_test),
        y_test=y_test,
        name="mnist" if full else "mnist subset",
        description=f"{len(x_train):,} training and {len(x_test):,} test images of handwritten "
        "digits, 28 by 28 pixels.",
        class_names=tuple("0123456789"),
        target_name="digit",
    )


def _pixels(images):
    return images[..., np.newaxis].astype(np.float32) / 255


def _full_mnist():
    import keras

    try:
        return keras.datasets.mnist.load_data()
    except Exception as error:
        # Keras raises a bare Exception when a download fails.
        raise ConnectionError(
            f"Keras could not load the full MNIST ({error}). It needs the network once; "
            "mnist() without full=True needs none."
        ) from error


# The data files, and the SHA-256 of each after decompression: gzip's own bytes depend on the
# version of zlib that wrote them. data/build.py rebuilds the files.
_SHA256 = {
    "telco_churn.csv.gz": "6ff58dad1ff4b0a5adf6e44ec6b221c9561f6c5b2a2130a8a5634c6ef75387be",
    "doctor_visits.csv.gz": "9f6c87d05aef087a82cc4465310c8cd3f38327be6eafa43bd81fb98c4f3d088c",
    "mnist_subset.npy.gz": "ee7c7c6f2631f9b7e0f40d0ed11fa933f799d61908a67b35b23b0edaaced1473",
}
# Inside the package where it was built with the data, else beside it, as in a clone.
_DATA_FOLDERS = (Path(__file__).parent / "data", Path(__file__).parent.parent / "data")


def _read_data(name):
    paths = [folder / name for folder in _DATA_FOLDERS]
    path = next((path for path in paths if path.is_file()), None)
    restore = (
        f"In a clone of the book, `git checkout -- data/{name}` or `python data/build.py` restores "
        "it; elsewhere, reinstall lossutils."
    )
    if path is None:
        raise FileNotFoundError(
            f"The data file {name} is missing: looked for {' and '.join(map(str, paths))}. "
            f"{restore}"
        )
    try:
        content = gzip.decompress(path.read_bytes())
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"The data file {path} is damaged ({error}). {restore}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != _SHA256[name]:
        raise ValueError(
            f"The data file {path} is not the published one: its content has sha256 {found}, "
            f"expected {_SHA256[name]}. {restore}"
        )
    return content
