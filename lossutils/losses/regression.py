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


def mean_absolute_percentage_error(y_true, y_pred):
    """Mean over the outputs of the absolute error in percent of the target.

    Targets closer to 0 than 1e-7 count as 1e-7.

    Parameters
    ----------
    y_true, y_pred : array_like, shape (n, d)
        Targets and predictions, in the same unit.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample, in percent.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> mean_absolute_percentage_error([[100.0], [50.0]], [[92.0], [58.0]])
    array([ 8., 16.])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    return 100 * np.mean(np.abs(y_pred - y_true) / np.maximum(np.abs(y_true), EPSILON), axis=-1)


def mean_absolute_percentage_error_gradient(y_true, y_pred):
    """Differentiate `mean_absolute_percentage_error` with respect to `y_pred`."""
    y_true, y_pred = same_shape(y_true, y_pred)
    slope = np.sign(y_pred - y_true) / np.maximum(np.abs(y_true), EPSILON)
    return 100 * slope / y_pred.shape[-1]


def log_cosh(y_true, y_pred):
    """Mean over the outputs of the logarithm of the hyperbolic cosine of the error.

    It is about half of the squared error for small errors and about the absolute error, less
    log 2, for large ones.

    Parameters
    ----------
    y_true, y_pred : array_like, shape (n, d)
        Targets and predictions, in the same unit.

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
    >>> log_cosh([[100.0], [100.0]], [[92.0], [100.5]]).round(4)
    array([7.3069, 0.1201])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    error = y_pred - y_true
    # log cosh r = log(exp(r) + exp(-r)) - log 2, without the overflow of cosh
    return np.mean(np.logaddexp(error, -error) - np.log(2), axis=-1)


def log_cosh_gradient(y_true, y_pred):
    """Differentiate `log_cosh` with respect to `y_pred`."""
    y_true, y_pred = same_shape(y_true, y_pred)
    return np.tanh(y_pred - y_true) / y_pred.shape[-1]


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
            "Keras 3.15 does not save `delta`: after `load_model` the loss has `delta=1`, without "
            "a word (keras#23286). Compile the loaded model again.",
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
        activation=("exponential", "softplus", "relu"),
        targets=Values("real", low=0.0, description="0 or above, in the shape of the predictions"),
        predictions=Values("real", low=0.0, description="0 or above, shape (n, d)"),
        numpy=mean_squared_logarithmic_error,
        gradient=mean_squared_logarithmic_error_gradient,
        curve=Curve(
            label="prediction",
            low=0.01,
            high=20.0,
            targets={"target 2": (2.0,), "target 10": (10.0,)},
        ),
        equivalents=(
            Equivalent("PyTorch", "F.mse_loss(torch.log1p(y_pred), torch.log1p(y_true))"),
            Equivalent("optax", "optax.squared_error(jnp.log1p(y_pred), jnp.log1p(y_true)).mean()"),
            Equivalent(
                "scikit-learn",
                "sklearn.metrics.mean_squared_log_error(y_true, y_pred)",
                note="Raises an error for values of -1 and below, where Keras sets them to 1e-7. "
                "Between -1 and 0 it computes with them, and so do the two calls above.",
            ),
        ),
        traps=(
            "Negative predictions are raised to 1e-7 without a word and have no gradient: for the "
            "target 5 and the prediction -1 the loss is 3.21, and nothing moves the prediction.",
            "Negative targets are raised too. With a negative prediction their loss is 0, so "
            "standardized targets are half ignored.",
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
    Entry(
        title="Mean absolute percentage error",
        task="regression",
        keras_class="keras.losses.MeanAbsolutePercentageError",
        aliases=("mape", "MAPE"),
        formula=r"\ell(y, \hat y) = \frac{100}{D} \sum_{d=1}^{D} "
        r"\frac{\lvert \hat y_d - y_d \rvert}{\max(\lvert y_d \rvert, 10^{-7})}",
        activation=("linear", "softplus", "exponential"),
        targets=Values(
            "real", description="any real number far from 0, in the shape of the predictions"
        ),
        predictions=REAL_PREDICTIONS,
        numpy=mean_absolute_percentage_error,
        gradient=mean_absolute_percentage_error_gradient,
        curve=Curve(
            label="prediction",
            low=0.0,
            high=20.0,
            targets={"target 2": (2.0,), "target 10": (10.0,)},
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "100 * ((y_pred - y_true) / y_true).abs().mean()",
                note="PyTorch has no function of its own for it.",
            ),
            Equivalent(
                "optax",
                "100 * jnp.abs((y_pred - y_true) / y_true).mean()",
                note="optax has no function of its own for it.",
            ),
            Equivalent(
                "scikit-learn",
                "100 * sklearn.metrics.mean_absolute_percentage_error(y_true, y_pred)",
                note="A fraction there, percent in Keras. Its limit for targets near 0 is "
                "2.2e-16, so the two differ widely at a target of 0.",
            ),
        ),
        traps=(
            "A target of 0 counts as 1e-7: one such sample adds 1e9 percent for an error of 1.",
            "It punishes predictions that are too high more than those too low: predicting 0 costs "
            "100 percent whatever the target, while there is no limit above. The fit is pulled "
            "towards small values.",
            "Percentages have no meaning for targets without a natural zero, such as degrees "
            "Celsius or standardized values.",
        ),
        sources=(
            Source(
                "R. J. Hyndman and A. B. Koehler (2006). Another look at measures of forecast "
                "accuracy. International Journal of Forecasting 22(4), 679–688.",
                "https://doi.org/10.1016/j.ijforecast.2006.03.001",
            ),
        ),
    ),
    Entry(
        title="Log-cosh loss",
        task="regression",
        keras_class="keras.losses.LogCosh",
        formula=r"\ell(y, \hat y) = \frac{1}{D} \sum_{d=1}^{D} \ln \cosh(\hat y_d - y_d)",
        activation=("linear",),
        targets=REAL_TARGETS,
        predictions=REAL_PREDICTIONS,
        numpy=log_cosh,
        gradient=log_cosh_gradient,
        curve=RESIDUAL_CURVE,
        equivalents=(
            Equivalent(
                "PyTorch",
                "torch.log(torch.cosh(y_pred - y_true)).mean()",
                note="PyTorch has no function of its own for it. This one overflows from an error "
                "of 90 on in float32, PyTorch's default, and of 711 in float64.",
            ),
            Equivalent("optax", "optax.log_cosh(y_pred, y_true).mean()"),
            Equivalent(
                "NumPy",
                "np.log(np.cosh(y_pred - y_true)).mean()",
                note="Overflows from an error of 711 on; the definition above does not.",
            ),
        ),
        traps=(
            "It has no parameter: the change from squared to absolute happens at an error of about "
            "1, in whatever unit the target has. Standardize the target, or use the Huber loss.",
            "The string is `log_cosh`. The `logcosh` of Keras 2 is unknown to Keras 3, which says "
            "so at `fit`, not at `compile`.",
        ),
        sources=(
            Source(
                "R. A. Saleh and A. K. Md. E. Saleh (2022). Statistical properties of the log-cosh "
                "loss function used in machine learning. arXiv:2208.04564.",
                "https://arxiv.org/abs/2208.04564",
            ),
        ),
    ),
)
