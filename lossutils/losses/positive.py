"""Losses of positive amounts: claims, costs, durations, whose spread grows with their mean.

A deviance is twice the distance of a negative log-likelihood to that of a perfect prediction. The
two here belong to distributions whose variance is proportional to a power of the mean: 2 for the
gamma distribution, between 1 and 2 for a sum of a Poisson number of gamma amounts, which may be 0.
"""

import numpy as np

from ._arrays import EPSILON, between, same_shape
from ._entry import Curve, Entry, Equivalent, Source, Values

NELDER = Source(
    "J. A. Nelder and R. W. M. Wedderburn (1972). Generalized linear models. Journal of the Royal "
    "Statistical Society, Series A 135(3), 370–384.",
    "https://doi.org/10.2307/2344614",
)
DUNN = Source(
    "P. K. Dunn and G. K. Smyth (2005). Series evaluation of Tweedie exponential dispersion model "
    "densities. Statistics and Computing 15(4), 267–280.",
    "https://doi.org/10.1007/s11222-005-4070-y",
)
MEANS = Values("real", low=EPSILON, description="predicted means above 0, shape (n, d)")


def gamma_deviance(y_true, y_pred):
    """Mean over the outputs of the deviance of a gamma distribution.

    It depends on the ratio of target and prediction only: being off by a factor costs the same for
    small and for large amounts.

    Parameters
    ----------
    y_true : array_like, shape (n, d)
        Amounts above 0. For a target of 0 the loss is infinite.
    y_pred : array_like, shape (n, d)
        The predicted means, above 0. For a negative one the loss is NaN.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample, without a unit, 0 for a perfect prediction.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> gamma_deviance([[100.0], [1.0]], [[50.0], [0.5]]).round(4)
    array([0.6137, 0.6137])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    return np.mean(2 * (np.log(y_pred) - np.log(y_true) + y_true / y_pred - 1), axis=-1)


def gamma_deviance_gradient(y_true, y_pred):
    """Differentiate `gamma_deviance` with respect to `y_pred`."""
    y_true, y_pred = same_shape(y_true, y_pred)
    return 2 * (y_pred - y_true) / y_pred**2 / y_pred.shape[-1]


def tweedie_deviance(y_true, y_pred, *, power=1.5):
    """Mean over the outputs of the deviance of a Tweedie distribution with a power from 1 to 2.

    Parameters
    ----------
    y_true : array_like, shape (n, d)
        Amounts, 0 or above.
    y_pred : array_like, shape (n, d)
        The predicted means, above 0. For a negative one the loss is NaN.
    power : float
        The variance is taken to grow as this power of the mean. Above 1, where it would be
        Poisson's, and below 2, where it would be gamma's.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample, in the unit of the target to the power of 2 - `power`; 0 for a
        perfect prediction.

    Raises
    ------
    ValueError
        If the shapes differ, or `power` is not between 1 and 2.

    Examples
    --------
    >>> tweedie_deviance([[4.0], [0.0]], [[1.0], [1.0]])
    array([4., 4.])
    """
    between("power", power, 1, 2)
    y_true, y_pred = same_shape(y_true, y_pred)
    at_target = y_true ** (2 - power) / ((1 - power) * (2 - power))
    at_prediction = y_true * y_pred ** (1 - power) / (1 - power) - y_pred ** (2 - power) / (
        2 - power
    )
    return np.mean(2 * (at_target - at_prediction), axis=-1)


def tweedie_deviance_gradient(y_true, y_pred, *, power=1.5):
    """Differentiate `tweedie_deviance` with respect to `y_pred`."""
    between("power", power, 1, 2)
    y_true, y_pred = same_shape(y_true, y_pred)
    return 2 * (y_pred - y_true) / y_pred**power / y_pred.shape[-1]


ENTRIES = (
    Entry(
        title="Gamma deviance",
        task="regression of positive amounts",
        keras_class="lossutils.losses.keras_losses.GammaDeviance",
        formula=r"\ell(y, \hat y) = \frac{1}{D} \sum_{d=1}^{D} 2 \left( \ln \frac{\hat y_d}{y_d} "
        r"+ \frac{y_d}{\hat y_d} - 1 \right)",
        activation=("exponential", "softplus"),
        targets=Values(
            "real", low=EPSILON, description="amounts above 0, in the shape of the predictions"
        ),
        predictions=MEANS,
        numpy=gamma_deviance,
        gradient=gamma_deviance_gradient,
        curve=Curve(
            label="predicted mean",
            low=0.5,
            high=20.0,
            targets={"target 2": (2.0,), "target 10": (10.0,)},
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "2 * (torch.log(y_pred / y_true) + y_true / y_pred - 1).mean()",
                note="PyTorch has no function of its own for it.",
            ),
            Equivalent(
                "optax",
                "2 * (jnp.log(y_pred / y_true) + y_true / y_pred - 1).mean()",
                note="optax has no function of its own for it.",
            ),
            Equivalent(
                "scikit-learn",
                "sklearn.metrics.mean_gamma_deviance(y_true.ravel(), y_pred.ravel())",
                note="Raises an error for amounts and for predictions of 0 and below.",
            ),
            Equivalent(
                "scikit-learn",
                "sklearn.metrics.d2_tweedie_score(y_true.ravel(), y_pred.ravel(), power=2)",
                relation="different",
                note="1 less its share of the deviance of the mean of the targets: larger is "
                "better.",
            ),
            Equivalent(
                "SciPy",
                "2 * (\n"
                "    scipy.stats.gamma.logpdf(y_true, 3, scale=y_true / 3)\n"
                "    - scipy.stats.gamma.logpdf(y_true, 3, scale=y_pred / 3)\n"
                ").mean() / 3",
                note="With any shape parameter in place of 3: it scales the likelihood and leaves "
                "the best mean.",
            ),
        ),
        traps=(
            "A target of 0 makes it infinite. Amounts with zeros take the Tweedie deviance.",
            "A linear output predicts negative means, whose logarithm is NaN.",
            "With an exponential output the gradient of the output layer is 2 (1 − y / ŷ): bounded "
            "where the prediction is too high, and without limit where it is far too low. "
            "Standardize the inputs, and start the bias of the output layer at the logarithm of "
            "the mean target.",
            "The constant that minimizes it is the mean, so its predictions add up to the total "
            "where a bias can shift them all. On logarithms the squared error leads to the "
            "geometric mean, which lies below.",
            "It says how the mean depends on the inputs. That the amounts follow a gamma "
            "distribution is not needed for that, only for probabilities and intervals.",
        ),
        sources=(NELDER,),
    ),
    Entry(
        title="Tweedie deviance",
        task="regression of amounts with zeros",
        keras_class="lossutils.losses.keras_losses.TweedieDeviance",
        formula=r"\ell_p(y, \hat y) = \frac{1}{D} \sum_{d=1}^{D} 2 \left( "
        r"\frac{y_d^{2-p}}{(1-p)(2-p)} - \frac{y_d\, \hat y_d^{1-p}}{1-p} "
        r"+ \frac{\hat y_d^{2-p}}{2-p} \right), \quad 1 < p < 2",
        activation=("exponential", "softplus"),
        targets=Values(
            "real", low=0.0, description="amounts of 0 or above, in the shape of the predictions"
        ),
        predictions=MEANS,
        numpy=tweedie_deviance,
        gradient=tweedie_deviance_gradient,
        curve=Curve(
            label="predicted mean",
            low=0.3,
            high=20.0,
            targets={"target 0": (0.0,), "target 2": (2.0,), "target 10": (10.0,)},
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "2 * (y_true**0.5 / -0.25 + y_true * y_pred**-0.5 / 0.5 + y_pred**0.5 / 0.5)"
                ".mean()",
                parameters={"power": 1.5},
                note="PyTorch has no function of its own for it.",
            ),
            Equivalent(
                "optax",
                "2 * (y_true**0.5 / -0.25 + y_true * y_pred**-0.5 / 0.5 + y_pred**0.5 / 0.5)"
                ".mean()",
                parameters={"power": 1.5},
                note="optax has no function of its own for it.",
            ),
            Equivalent(
                "scikit-learn",
                "sklearn.metrics.mean_tweedie_deviance(\n"
                "    y_true.ravel(), y_pred.ravel(), power=1.5\n"
                ")",
                parameters={"power": 1.5},
            ),
            Equivalent(
                "scikit-learn",
                "sklearn.metrics.mean_tweedie_deviance(y_true.ravel(), y_pred.ravel())",
                relation="different",
                note="Its default power is 0: the squared error.",
            ),
        ),
        traps=(
            "Its values for two powers do not compare, and neither power nor loss can be chosen by "
            "them: choose by a metric that stays the same, or by the likelihood.",
            "A linear output predicts negative means, whose powers are NaN.",
            "It takes one mean for how often and how much. Where the two depend on the inputs in "
            "different ways and both are wanted, train a model for each.",
            "Amounts over different times: train on the amount per year, with the years as "
            "`sample_weight`, as for rates.",
        ),
        sources=(
            DUNN,
            Source(
                "scikit-learn user guide: Metrics and scoring, mean Poisson, gamma and Tweedie "
                "deviances.",
                "https://scikit-learn.org/stable/modules/model_evaluation.html"
                "#mean-poisson-gamma-and-tweedie-deviances",
            ),
        ),
    ),
)
