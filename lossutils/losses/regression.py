"""Losses of regression: how far a prediction lies from a number.

Each definition averages over the last axis, as Keras does: for predictions of shape (n, d) the
loss of a sample is the mean over its d outputs.
"""

import numpy as np

from ._arrays import EPSILON, positive, same_shape
from ._entry import Curve, Entry, Equivalent, Source, Values

GNEITING = Source(
    "T. Gneiting (2011). Making and evaluating point forecasts. Journal of the American "
    "Statistical Association 106(494), 746–762.",
    "https://doi.org/10.1198/jasa.2011.r10138",
)
REAL_TARGETS = Values("real", description="any real number, in the shape of the predictions")
REAL_PREDICTIONS = Values("real", description="any real number, shape (n, d)")
RESIDUAL_CURVE = Curve(
    label="prediction − target", low=-3.0, high=3.0, targets={"target 0": (0.0,)}
)


def mean_squared_error(y_true, y_pred):
    """Mean over the outputs of the squared error.

    Parameters
    ----------
    y_true, y_pred : array_like, shape (n, d)
        Targets and predictions, in the same unit.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample, in the square of that unit.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> mean_squared_error([[100.0]], [[92.0]])
    array([64.])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    return np.mean((y_pred - y_true) ** 2, axis=-1)


def mean_squared_error_gradient(y_true, y_pred):
    """Differentiate `mean_squared_error` with respect to `y_pred`."""
    y_true, y_pred = same_shape(y_true, y_pred)
    return 2 * (y_pred - y_true) / y_pred.shape[-1]


def mean_absolute_error(y_true, y_pred):
    """Mean over the outputs of the absolute error.

    Parameters
    ----------
    y_true, y_pred : array_like, shape (n, d)
        Targets and predictions, in the same unit.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample, in that unit.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> mean_absolute_error([[100.0]], [[92.0]])
    array([8.])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    return np.mean(np.abs(y_pred - y_true), axis=-1)


def mean_absolute_error_gradient(y_true, y_pred):
    """Differentiate `mean_absolute_error` with respect to `y_pred`; 0 where they are equal."""
    y_true, y_pred = same_shape(y_true, y_pred)
    return np.sign(y_pred - y_true) / y_pred.shape[-1]


def huber(y_true, y_pred, *, delta=1.0):
    """Mean over the outputs of Huber's loss: squared up to an error of delta, then linear.

    Parameters
    ----------
    y_true, y_pred : array_like, shape (n, d)
        Targets and predictions, in the same unit.
    delta : float
        The error, in that unit, from which the loss grows linearly. Above 0.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample.

    Raises
    ------
    ValueError
        If the shapes differ, or `delta` is not above 0.

    Examples
    --------
    >>> huber([[100.0], [100.0]], [[92.0], [100.5]])
    array([7.5  , 0.125])
    """
    positive("delta", delta)
    y_true, y_pred = same_shape(y_true, y_pred)
    error = np.abs(y_pred - y_true)
    loss = np.where(error <= delta, error**2 / 2, delta * error - delta**2 / 2)
    return np.mean(loss, axis=-1)


def huber_gradient(y_true, y_pred, *, delta=1.0):
    """Differentiate `huber` with respect to `y_pred`: the error, cut off at plus or minus delta."""
    positive("delta", delta)
    y_true, y_pred = same_shape(y_true, y_pred)
    return np.clip(y_pred - y_true, -delta, delta) / y_pred.shape[-1]


def mean_squared_logarithmic_error(y_true, y_pred):
    """Mean over the outputs of the squared difference of log(1 + value).

    Keras raises values below 1e-7, so all negative ones, to 1e-7 on both sides. There the loss
    does not depend on the prediction.

    Parameters
    ----------
    y_true, y_pred : array_like, shape (n, d)
        Targets and predictions, 0 or above.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> mean_squared_logarithmic_error([[99.0]], [[49.0]]).round(4)
    array([0.4805])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    log_ratio = np.log1p(np.maximum(y_pred, EPSILON)) - np.log1p(np.maximum(y_true, EPSILON))
    return np.mean(log_ratio**2, axis=-1)


def mean_squared_logarithmic_error_gradient(y_true, y_pred):
    """Differentiate `mean_squared_logarithmic_error` with respect to `y_pred`."""
    y_true, y_pred = same_shape(y_true, y_pred)
    raised = np.maximum(y_pred, EPSILON)
    log_ratio = np.log1p(raised) - np.log1p(np.maximum(y_true, EPSILON))
    slope = np.where(y_pred >= EPSILON, 2 * log_ratio / (1 + raised), 0.0)
    return slope / y_pred.shape[-1]


ENTRIES = (
    Entry(
        title="Mean squared error",
        task="regression",
        keras_class="keras.losses.MeanSquaredError",
        aliases=("mse", "MSE"),
        formula=r"\ell(y, \hat y) = \frac{1}{D} \sum_{d=1}^{D} (\hat y_d - y_d)^2",
        activation=("linear",),
        targets=REAL_TARGETS,
        predictions=REAL_PREDICTIONS,
        numpy=mean_squared_error,
        gradient=mean_squared_error_gradient,
        curve=RESIDUAL_CURVE,
        equivalents=(
            Equivalent("PyTorch", "F.mse_loss(y_pred, y_true)"),
            Equivalent("optax", "optax.squared_error(y_pred, y_true).mean()"),
            Equivalent(
                "optax",
                "optax.l2_loss(y_pred, y_true).mean()",
                relation="different",
                note="Half of the mean squared error.",
            ),
            Equivalent("scikit-learn", "sklearn.metrics.mean_squared_error(y_true, y_pred)"),
        ),
        traps=(
            "The constant that minimizes it is the mean, so a few outliers move the whole fit.",
            "Its gradient grows with the unit of the target. Targets in the hundreds diverge at a "
            "learning rate that suits standardized ones.",
            "Its value is in squared units. Report its root, in the unit of the target.",
        ),
        sources=(GNEITING,),
    ),
    Entry(
        title="Mean absolute error",
        task="regression",
        keras_class="keras.losses.MeanAbsoluteError",
        aliases=("mae", "MAE"),
        formula=r"\ell(y, \hat y) = \frac{1}{D} \sum_{d=1}^{D} \lvert \hat y_d - y_d \rvert",
        activation=("linear",),
        targets=REAL_TARGETS,
        predictions=REAL_PREDICTIONS,
        numpy=mean_absolute_error,
        gradient=mean_absolute_error_gradient,
        curve=RESIDUAL_CURVE,
        equivalents=(
            Equivalent("PyTorch", "F.l1_loss(y_pred, y_true)"),
            Equivalent(
                "optax",
                "jnp.abs(y_pred - y_true).mean()",
                note="optax has no function of its own for it.",
            ),
            Equivalent("scikit-learn", "sklearn.metrics.mean_absolute_error(y_true, y_pred)"),
        ),
        traps=(
            "The constant that minimizes it is the median, not the mean. On skewed targets its "
            "predictions do not add up to the total.",
            "Its gradient has the same size for small and for large errors. At a fixed learning "
            "rate the weights keep moving around the minimum.",
        ),
        sources=(GNEITING,),
    ),
    Entry(
        title="Huber loss",
        task="regression",
        keras_class="keras.losses.Huber",
        formula=r"\ell(y, \hat y) = \frac{1}{D} \sum_{d=1}^{D} \begin{cases} "
        r"\frac{1}{2} (\hat y_d - y_d)^2 & \lvert \hat y_d - y_d \rvert \le \delta \\ "
        r"\delta \lvert \hat y_d - y_d \rvert - \frac{1}{2} \delta^2 & \text{otherwise} "
        r"\end{cases}",
        activation=("linear",),
        targets=REAL_TARGETS,
        predictions=REAL_PREDICTIONS,
        numpy=huber,
        gradient=huber_gradient,
        curve=RESIDUAL_CURVE,
        equivalents=(
            Equivalent("PyTorch", "F.huber_loss(y_pred, y_true, delta=1.0)"),
            Equivalent(
                "PyTorch",
                "F.smooth_l1_loss(y_pred, y_true, beta=2.0)",
                relation="different",
                note="Huber's loss divided by delta, so equal for delta = beta = 1 only.",
                parameters={"delta": 2.0},
            ),
            Equivalent("optax", "optax.huber_loss(y_pred, y_true, delta=1.0).mean()"),
            Equivalent("SciPy", "scipy.special.huber(1.0, y_pred - y_true).mean()"),
        ),
        traps=(
            "Delta has the unit of the target: 1 is far too small for prices in the thousands, and "
            "too large for targets between 0 and 1.",
            "Near zero it is half of the squared error, so its value does not compare with the "
            "mean squared error.",
            "The string is `huber`. The `huber_loss` of Keras 2 is unknown to Keras 3, which says "
            "so at `fit`, not at `compile`.",
        ),
        sources=(
            Source(
                "P. J. Huber (1964). Robust estimation of a location parameter. The Annals of "
                "Mathematical Statistics 35(1), 73–101.",
                "https://doi.org/10.1214/aoms/1177703732",
            ),
        ),
    ),
    Entry(
        title="Mean squared logarithmic error",
        task="regression",
        keras_class="keras.losses.MeanSquaredLogarithmicError",
        aliases=("msle", "MSLE"),
        formula=r"\ell(y, \hat y) = \frac{1}{D} \sum_{d=1}^{D} "
        r"\bigl( \ln(1 + \hat y_d) - \ln(1 + y_d) \bigr)^2",
        activation=("softplus", "exponential", "relu"),
        targets=Values("real", low=0.0, description="0 or above, in the shape of the predictions"),
        predictions=Values("real", low=0.0, description="0 or above, shape (n, d)"),
        numpy=mean_squared_logarithmic_error,
        gradient=mean_squared_logarithmic_error_gradient,
        curve=Curve(
            label="prediction",
            low=0.0,
            high=20.0,
            targets={"target 2": (2.0,), "target 10": (10.0,)},
        ),
        equivalents=(
            Equivalent("PyTorch", "F.mse_loss(torch.log1p(y_pred), torch.log1p(y_true))"),
            Equivalent("optax", "optax.squared_error(jnp.log1p(y_pred), jnp.log1p(y_true)).mean()"),
            Equivalent(
                "scikit-learn",
                "sklearn.metrics.mean_squared_log_error(y_true, y_pred)",
                note="Raises an error for values of -1 and below, where Keras sets them to 1e-7.",
            ),
        ),
        traps=(
            "Negative targets and predictions are raised to 1e-7 without a word. There the loss "
            "and its gradient are 0, so standardized targets are half ignored.",
            "It punishes predictions that are too low more than those too high by as much: it "
            "compares ratios. The constant that minimizes it is the geometric mean of 1 + y, less "
            "1, which lies below the mean.",
        ),
        sources=(
            Source(
                "scikit-learn user guide: Metrics and scoring, mean squared logarithmic error.",
                "https://scikit-learn.org/stable/modules/model_evaluation.html"
                "#mean-squared-logarithmic-error",
            ),
        ),
    ),
)
