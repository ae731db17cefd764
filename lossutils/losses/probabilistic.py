"""Losses that compare a target with a predicted distribution, beyond cross-entropy."""

import numpy as np

from ._arrays import EPSILON, for_each_output, in_range, numbers, predictions, same_shape
from ._entry import Curve, Entry, Equivalent, Source, Values


def kl_divergence(y_true, y_pred):
    """Kullback–Leibler divergence of the predicted from the true class probabilities.

    Parameters
    ----------
    y_true, y_pred : array_like, shape (n, K)
        Rows of probabilities. Both are kept between 1e-7 and 1.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample, in nats.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> kl_divergence([[0.5, 0.5]], [[0.25, 0.75]]).round(4)
    array([0.1438])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    y, p = np.clip(y_true, EPSILON, 1), np.clip(y_pred, EPSILON, 1)
    return np.sum(y * np.log(y / p), axis=-1)


def kl_divergence_gradient(y_true, y_pred):
    """Differentiate `kl_divergence` with respect to `y_pred`; 0 where it is clipped."""
    y_true, y_pred = same_shape(y_true, y_pred)
    y, p = np.clip(y_true, EPSILON, 1), np.clip(y_pred, EPSILON, 1)
    return np.where((y_pred >= EPSILON) & (y_pred <= 1), -y / p, 0.0)


def poisson(y_true, y_pred):
    """Mean over the outputs of the negative Poisson log-likelihood, less log(y!).

    Parameters
    ----------
    y_true : array_like, shape (n, d)
        Counts.
    y_pred : array_like, shape (n, d)
        The predicted rates, above 0. A negative rate gives NaN.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample, in nats. It may be negative.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> poisson([[3]], [[2.0]]).round(4)
    array([-0.0794])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    return np.mean(y_pred - y_true * np.log(y_pred + EPSILON), axis=-1)


def poisson_gradient(y_true, y_pred):
    """Differentiate `poisson` with respect to `y_pred`."""
    y_true, y_pred = same_shape(y_true, y_pred)
    return (1 - y_true / (y_pred + EPSILON)) / y_pred.shape[-1]


def pinball(y_true, y_pred, *, quantile=0.5):
    """Mean over the outputs of the tilted absolute error that a quantile minimizes.

    Parameters
    ----------
    y_true, y_pred : array_like, shape (n, d)
        Targets and predictions, in the same unit.
    quantile : float or sequence of d floats
        Between 0 and 1: the part of the targets that should lie below the prediction. For several
        quantiles of one target, repeat the target d times along the last axis.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample, in that unit.

    Raises
    ------
    ValueError
        If the shapes differ, or `quantile` is outside its range or of another length than the
        outputs.

    Examples
    --------
    >>> pinball([[100.0], [100.0]], [[92.0], [108.0]], quantile=0.9)
    array([7.2, 0.8])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    q = for_each_output("quantile", quantile, y_pred)
    in_range("quantile", q, 0, 1)
    error = y_true - y_pred
    return np.mean(np.maximum(q * error, (q - 1) * error), axis=-1)


def pinball_gradient(y_true, y_pred, *, quantile=0.5):
    """Differentiate `pinball` with respect to `y_pred`; where both are equal, the left slope."""
    y_true, y_pred = same_shape(y_true, y_pred)
    q = for_each_output("quantile", quantile, y_pred)
    in_range("quantile", q, 0, 1)
    return np.where(y_true >= y_pred, -q, 1 - q) / y_pred.shape[-1]


def gaussian_negative_log_likelihood(y_true, y_pred, *, full=False):
    """Mean over the targets of the negative log-likelihood of a normal distribution.

    Parameters
    ----------
    y_true : array_like, shape (n, d)
        Targets.
    y_pred : array_like, shape (n, 2 d)
        First the d predicted means, then the d logarithms of the predicted variances.
    full : bool
        Whether to add the constant log(2 pi) / 2, which no prediction changes.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample, in nats. It may be negative.

    Raises
    ------
    ValueError
        If `y_pred` has not twice as many outputs as `y_true`.

    Examples
    --------
    >>> gaussian_negative_log_likelihood([[3.0]], [[1.0, np.log(4.0)]]).round(4)
    array([1.1931])
    """
    y_true, mean, log_variance = _mean_and_log_variance(y_true, y_pred)
    loss = (log_variance + (y_true - mean) ** 2 / np.exp(log_variance)) / 2
    return np.mean(loss + np.log(2 * np.pi) / 2 * full, axis=-1)


def gaussian_negative_log_likelihood_gradient(y_true, y_pred, *, full=False):
    """Differentiate `gaussian_negative_log_likelihood` with respect to `y_pred`."""
    y_true, mean, log_variance = _mean_and_log_variance(y_true, y_pred)
    z = (y_true - mean) / np.exp(log_variance)
    slopes = [-z, (1 - z * (y_true - mean)) / 2]
    return np.concatenate(slopes, axis=-1) / y_true.shape[-1]


def _mean_and_log_variance(y_true, y_pred):
    """Split predictions into means and log variances of the shape of the targets."""
    y_true, y_pred = numbers("y_true", y_true), predictions(y_pred)
    if y_true.ndim == 0 or y_pred.shape != (*y_true.shape[:-1], 2 * y_true.shape[-1]):
        raise ValueError(
            f"y_true has shape {y_true.shape}, y_pred has shape {y_pred.shape}, and this loss "
            "needs two outputs for each target: its mean and its log variance. For targets of "
            "shape (n, 1) use Dense(2) as the output layer."
        )
    return y_true, *np.split(y_pred, 2, axis=-1)


ENTRIES = (
    Entry(
        title="Kullback–Leibler divergence",
        task="multiclass classification",
        keras_class="keras.losses.KLDivergence",
        aliases=("kld", "KLD"),
        formula=r"\ell(y, p) = \sum_{k=1}^{K} y_k \ln \frac{y_k}{p_k}",
        activation=("softmax",),
        targets=Values(
            "distribution",
            low=0.0,
            high=1.0,
            description="a row of probabilities with sum 1, shape (n, K)",
        ),
        predictions=Values(
            "distribution",
            low=0.0,
            high=1.0,
            description="a row of K probabilities with sum 1, shape (n, K)",
        ),
        numpy=kl_divergence,
        gradient=kl_divergence_gradient,
        curve=Curve(
            label="predicted probability of class 0",
            low=0.005,
            high=0.995,
            origin=(0.0, 1.0),
            direction=(1.0, -1.0),
            targets={"target (0.7, 0.3)": (0.7, 0.3), "target (1, 0)": (1.0, 0.0)},
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "F.kl_div(torch.log(y_pred), y_true, reduction='batchmean')",
                note="Takes the logarithm of the prediction. Where a prediction and its target are "
                "both exactly 0 the value is NaN, and a float32 softmax gives such zeros: take the "
                "logarithm by `F.log_softmax` of the logits.",
            ),
            Equivalent(
                "PyTorch",
                "F.kl_div(torch.log(y_pred), y_true, reduction='mean')",
                relation="different",
                note="Its default reduction divides by the number of classes as well.",
            ),
            Equivalent(
                "optax",
                "optax.kl_divergence(jnp.log(y_pred), y_true).mean()",
                note="Takes the logarithm of the prediction. NaN where a prediction and its target "
                "are both exactly 0: take the logarithm by `jax.nn.log_softmax` of the logits.",
            ),
            Equivalent("SciPy", "scipy.special.rel_entr(y_true, y_pred).sum(axis=-1)"),
            Equivalent("SciPy", "scipy.stats.entropy(y_true, y_pred, axis=-1)"),
        ),
        traps=(
            "For fixed targets it is cross-entropy less a constant: the gradient is the same, and "
            "on hard labels so is the value. It pays only where you want 0 to mean a perfect fit.",
            "It needs probabilities on both sides and has no `from_logits`. Logits are clipped "
            "without a word.",
            "It is not symmetric. Swapped arguments give another number and no error.",
            "The string is `kl_divergence` or `kld`. The `kullback_leibler_divergence` of Keras 2 "
            "is unknown to Keras 3, which says so at `fit`, not at `compile`.",
            "Keras uses the natural logarithm: the unit is the nat, not the bit.",
        ),
        sources=(
            Source(
                "S. Kullback and R. A. Leibler (1951). On information and sufficiency. The Annals "
                "of Mathematical Statistics 22(1), 79–86.",
                "https://doi.org/10.1214/aoms/1177729694",
            ),
        ),
    ),
    Entry(
        title="Poisson loss",
        task="count regression",
        keras_class="keras.losses.Poisson",
        formula=r"\ell(y, \hat y) = \frac{1}{D} \sum_{d=1}^{D} "
        r"\bigl( \hat y_d - y_d \ln(\hat y_d + 10^{-7}) \bigr)",
        activation=("exponential", "softplus"),
        targets=Values(
            "count", low=0.0, description="0, 1, 2, ..., in the shape of the predictions"
        ),
        predictions=Values("real", low=0.0, description="rates above 0, shape (n, d)"),
        numpy=poisson,
        gradient=poisson_gradient,
        curve=Curve(
            label="predicted rate",
            low=0.05,
            high=10.0,
            targets={"count 0": (0.0,), "count 1": (1.0,), "count 4": (4.0,)},
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "F.poisson_nll_loss(y_pred, y_true, log_input=False)",
                note="Its small constant in the logarithm is 1e-8, not 1e-7.",
            ),
            Equivalent(
                "PyTorch",
                "F.poisson_nll_loss(y_pred, y_true)",
                relation="different",
                note="By default it takes the logarithm of the rate, from a linear output.",
            ),
            Equivalent(
                "optax",
                "(y_pred - y_true * jnp.log(y_pred)).mean()",
                note="optax has no function of its own for it.",
            ),
            Equivalent(
                "scikit-learn",
                "sklearn.metrics.mean_poisson_deviance(y_true.ravel(), y_pred.ravel())",
                relation="different",
                note="Twice the difference to the loss of a perfect prediction: the same minimum, "
                "never negative.",
            ),
            Equivalent(
                "SciPy",
                "-(scipy.stats.poisson.logpmf(y_true, y_pred) + scipy.special.gammaln(y_true + 1))"
                ".mean()",
            ),
        ),
        traps=(
            "A linear output predicts negative rates, whose logarithm is NaN.",
            "Its smallest value depends on the counts and may be negative. Compare models by the "
            "deviance.",
            "It assumes a variance equal to the mean. Where counts spread more, the predicted mean "
            "is still right, but probabilities computed from it are not.",
        ),
        sources=(
            Source(
                "J. A. Nelder and R. W. M. Wedderburn (1972). Generalized linear models. Journal "
                "of the Royal Statistical Society, Series A 135(3), 370–384.",
                "https://doi.org/10.2307/2344614",
            ),
        ),
    ),
    Entry(
        title="Pinball loss",
        task="quantile regression",
        keras_class="lossutils.losses.keras_losses.Pinball",
        formula=r"\ell_q(y, \hat y) = \frac{1}{D} \sum_{d=1}^{D} "
        r"\max\bigl( q\,(y_d - \hat y_d),\; (q - 1)(y_d - \hat y_d) \bigr)",
        activation=("linear",),
        targets=Values("real", description="any real number, in the shape of the predictions"),
        predictions=Values("real", description="any real number, shape (n, d)"),
        numpy=pinball,
        gradient=pinball_gradient,
        curve=Curve(
            label="prediction − target",
            low=-3.0,
            high=3.0,
            targets={"target 0": (0.0,)},
            parameters={"quantile": 0.9},
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "torch.maximum(0.9 * (y_true - y_pred), -0.1 * (y_true - y_pred)).mean()",
                parameters={"quantile": 0.9},
                note="PyTorch has no function of its own for it.",
            ),
            Equivalent(
                "PyTorch",
                "F.l1_loss(y_pred, y_true)",
                relation="different",
                note="Twice the pinball loss of the median.",
            ),
            Equivalent(
                "optax",
                "jnp.maximum(0.9 * (y_true - y_pred), -0.1 * (y_true - y_pred)).mean()",
                parameters={"quantile": 0.9},
                note="optax has no function of its own for it.",
            ),
            Equivalent(
                "scikit-learn",
                "sklearn.metrics.mean_pinball_loss(y_true, y_pred, alpha=0.9)",
                parameters={"quantile": 0.9},
            ),
        ),
        traps=(
            "Models trained one by one for several quantiles can cross: the 0.9 quantile of a "
            "sample below its 0.1 quantile.",
            "For several outputs with a quantile each, the target is repeated: targets of shape "
            "(n, 1) against predictions of shape (n, 3) are refused here, and broadcast elsewhere.",
            "Check the coverage on held-out data: the part of the targets below the prediction.",
        ),
        sources=(
            Source(
                "R. Koenker and G. Bassett (1978). Regression quantiles. Econometrica 46(1), "
                "33–50.",
                "https://doi.org/10.2307/1913643",
            ),
        ),
    ),
    Entry(
        title="Gaussian negative log-likelihood",
        task="regression with uncertainty",
        keras_class="lossutils.losses.keras_losses.GaussianNegativeLogLikelihood",
        formula=r"\ell(y, (\mu, s)) = \frac{1}{D} \sum_{d=1}^{D} \frac{1}{2} "
        r"\left( s_d + \frac{(y_d - \mu_d)^2}{e^{s_d}} \right), \quad s_d = \ln \sigma_d^2",
        activation=("linear",),
        targets=Values("real", description="any real number, shape (n, d)"),
        predictions=Values(
            "mean and log variance",
            description="d means, then d log variances, shape (n, 2 d)",
        ),
        numpy=gaussian_negative_log_likelihood,
        gradient=gaussian_negative_log_likelihood_gradient,
        curve=Curve(
            label="predicted log variance, for a mean of 0",
            low=-3.0,
            high=5.0,
            targets={"target 0.5": (0.5,), "target 1": (1.0,), "target 2": (2.0,)},
            origin=(0.0, 0.0),
            direction=(0.0, 1.0),
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "F.gaussian_nll_loss(y_pred.chunk(2, -1)[0], y_true, y_pred.chunk(2, -1)[1].exp())",
                note="Takes mean and variance as two tensors, and keeps the variance above 1e-6.",
            ),
            Equivalent(
                "SciPy",
                "-scipy.stats.norm.logpdf(\n"
                "    y_true, np.split(y_pred, 2, -1)[0], np.exp(np.split(y_pred, 2, -1)[1] / 2)\n"
                ").mean()",
                parameters={"full": True},
            ),
        ),
        traps=(
            "Log variances, not variances or standard deviations: an output that is taken for "
            "another of the three trains without an error.",
            "The gradient of the mean is divided by the variance. A sample that fits badly gets a "
            "large variance and then hardly moves the mean. Standardize the target, "
            "or fit the mean alone first.",
            "The loss has no lower limit: a sample that is fitted exactly drives its variance to "
            "0. Watch it on held-out data.",
        ),
        sources=(
            Source(
                "D. A. Nix and A. S. Weigend (1994). Estimating the mean and variance of the "
                "target probability distribution. Proceedings of the IEEE International Conference "
                "on Neural Networks, 55–60.",
                "https://doi.org/10.1109/ICNN.1994.374138",
            ),
        ),
    ),
)
