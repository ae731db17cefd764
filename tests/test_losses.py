"""The NumPy definitions of the losses and their catalogue, against Keras and hand-worked values."""

import doctest
import importlib
import inspect
import itertools
import pkgutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from loss_inputs import combinations, examples, keras_class

import lossutils.losses as losses
from lossutils.losses import CATALOGUE


def entries(condition=lambda entry: True):
    return [pytest.param(entry, id=name) for name, entry in CATALOGUE.items() if condition(entry)]


ENTRIES = entries()
KERAS_HAS_IT = entries(lambda e: e.keras_class.startswith("keras."))
OWN_CLASS = entries(lambda e: not e.keras_class.startswith("keras."))
CASES = [
    pytest.param(entry, chosen, id=f"{name}-{i}")
    for name, entry in CATALOGUE.items()
    for i, chosen in enumerate(combinations(entry))
]
CLOSE = {"rtol": 1e-9, "atol": 1e-12}
# Keras computes these partly in float32, whatever the dtype of the loss.
CLOSE_TO_KERAS = {"log_cosh": {"rtol": 1e-9, "atol": 1e-8}, "ctc": {"rtol": 1e-5, "atol": 1e-5}}


def keras_loss(entry, reduction, **parameters):
    parameters = {**entry.parameters, **parameters}
    if entry.name == "tversky":  # exchanged in Keras 3.15: see the test of this bug below
        parameters["alpha"], parameters["beta"] = parameters["beta"], parameters["alpha"]
    return keras_class(entry)(reduction=reduction, dtype="float64", **parameters)


def keras_gradient(entry, y_true, y_pred, **parameters):
    y_pred = tf.constant(y_pred, dtype="float64")
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        total = keras_loss(entry, "sum", **parameters)(y_true, y_pred)
    return tape.gradient(total, y_pred).numpy()


def assert_same_as_keras(entry, y_true, y_pred, **parameters):
    close = CLOSE_TO_KERAS.get(entry.name, CLOSE)
    each = entry.numpy(y_true, y_pred, **parameters)
    expected = keras_loss(entry, None, **parameters)(y_true, y_pred).numpy()
    assert np.shape(each) == expected.shape
    np.testing.assert_allclose(each, expected, **close)
    np.testing.assert_allclose(
        entry.gradient(y_true, y_pred, **parameters),
        keras_gradient(entry, y_true, y_pred, **parameters),
        **close,
    )


# The same numbers as Keras


@pytest.mark.parametrize(("entry", "parameters"), CASES)
def test_loss_and_gradient_of_each_sample_equal_keras(entry, parameters):
    y_true, y_pred = examples(entry, **parameters)
    assert_same_as_keras(entry, y_true, y_pred, **parameters)


@pytest.mark.parametrize("entry", KERAS_HAS_IT)
def test_keras_function_of_the_same_name_gives_the_same_losses(entry):
    y_true, y_pred = examples(entry)
    function = getattr(keras.losses, entry.name)
    np.testing.assert_allclose(
        entry.numpy(y_true, y_pred),
        function(y_true, y_pred, **entry.parameters).numpy(),
        **CLOSE_TO_KERAS.get(entry.name, CLOSE),
    )


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("entry", entries(lambda e: not e.whole_batch))
def test_reduced_loss_is_what_keras_reports(entry, reduction, weighted):
    y_true, y_pred = examples(entry)
    each = entry.numpy(y_true, y_pred)
    weights = np.random.default_rng(1).uniform(0.0, 3.0, each.shape) if weighted else None
    divisor = {
        "sum": 1,
        "sum_over_batch_size": each.size,
        "mean_with_sample_weight": weights.sum() if weighted else each.size,
    }[reduction]
    expected = np.sum(each * weights if weighted else each) / divisor
    reported = keras_loss(entry, reduction)(y_true, y_pred, sample_weight=weights)
    np.testing.assert_allclose(reported, expected, **CLOSE_TO_KERAS.get(entry.name, CLOSE))


@pytest.mark.parametrize(
    "entry", entries(lambda e: not e.whole_batch and e.targets.encoding != "sequence")
)
def test_more_axes_keep_their_shape(entry):
    y_true, y_pred = examples(entry, n=12)
    of_rows = entry.numpy(y_true, y_pred)
    y_true = y_true.reshape(3, 4, *y_true.shape[1:])
    y_pred = y_pred.reshape(3, 4, *y_pred.shape[1:])
    np.testing.assert_allclose(entry.numpy(y_true, y_pred), of_rows.reshape(3, 4), rtol=1e-14)
    assert_same_as_keras(entry, y_true, y_pred)


def test_ignored_class_is_left_out_of_keras_mean():
    y_true, y_pred = np.array([0, 2, 1, 2]), np.random.default_rng(0).dirichlet(np.ones(3), 4)
    each = losses.sparse_categorical_crossentropy(y_true, y_pred, ignore_class=2)
    assert (each[y_true == 2] == 0).all()
    reported = keras.losses.SparseCategoricalCrossentropy(ignore_class=2, dtype="float64")
    np.testing.assert_allclose(reported(y_true, y_pred), each[y_true != 2].mean(), **CLOSE)


def test_ignored_class_may_be_none_of_the_classes():
    y_true, y_pred = np.array([[0], [-1]]), np.array([[0.5, 0.5], [0.1, 0.9]])
    each = losses.sparse_categorical_crossentropy(y_true, y_pred, ignore_class=-1)
    np.testing.assert_allclose(each, [np.log(2), 0.0])


def test_circle_loss_is_averaged_over_the_samples_that_have_one():
    labels, embeddings = examples(CATALOGUE["circle"])
    labels[0] = 99  # no partner
    each = losses.circle(labels, embeddings)
    assert each[0] == 0
    reported = keras.losses.Circle(dtype="float64")(labels, embeddings)
    np.testing.assert_allclose(reported, each[each > 0].mean(), **CLOSE)
    assert_same_as_keras(CATALOGUE["circle"], labels, embeddings)


@pytest.mark.parametrize("name", ["dice", "tversky", "dice_crossentropy"])
def test_overlap_of_a_batch_is_one_number_and_of_images_one_each(name):
    rng = np.random.default_rng(0)
    masks, predicted = rng.integers(0, 2, (3, 4, 5, 1)), rng.uniform(size=(3, 4, 5, 1))
    entry = CATALOGUE[name]
    assert np.shape(entry.numpy(masks, predicted)) == ()
    assert entry.numpy(masks, predicted, axis=(1, 2, 3)).shape == (3,)
    assert_same_as_keras(entry, masks, predicted, axis=(1, 2, 3))


@pytest.mark.parametrize("name", ["dice", "tversky"])
def test_overlap_over_a_single_channel_teaches_nothing_about_the_background(name):
    rng = np.random.default_rng(0)
    masks, predicted = rng.integers(0, 2, (3, 4, 5, 1)), rng.uniform(size=(3, 4, 5, 1))
    entry, background = CATALOGUE[name], masks == 0
    assert_same_as_keras(entry, masks, predicted, axis=-1)
    assert (entry.numpy(masks, predicted, axis=-1)[background[..., 0]] == 1).all()
    assert (entry.gradient(masks, predicted, axis=-1)[background] == 0).all()
    assert (entry.gradient(masks, predicted, axis=(1, 2, 3))[background] > 0).all()


def test_focal_weights_of_classes():
    entry = CATALOGUE["categorical_focal_crossentropy"]
    y_true, y_pred = examples(entry)
    assert_same_as_keras(entry, y_true, y_pred, alpha=np.array([0.1, 0.2, 0.3, 0.4]))


@pytest.mark.parametrize("name", ["binary_focal_crossentropy", "categorical_focal_crossentropy"])
def test_focal_loss_without_focus_has_a_gradient_at_a_certain_prediction(name):
    y_true, y_pred = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    plain = CATALOGUE[name.replace("_focal", "")]
    factor = 0.25 if name.startswith("categorical") else 1.0
    np.testing.assert_array_equal(
        CATALOGUE[name].gradient(y_true, y_pred, gamma=0.0),
        factor * plain.gradient(y_true, y_pred),
    )


def test_circle_loss_of_an_embedding_longer_than_1_is_that_of_keras():
    """Their similarity exceeds 1, which Keras cuts off."""
    labels, embeddings = np.array([0, 0, 1]), np.array([[1.1, 0.0], [1.2, 0.1], [0.0, 1.0]])
    expected = keras.losses.Circle(reduction=None, dtype="float64")(labels, embeddings)
    np.testing.assert_allclose(losses.circle(labels, embeddings), expected, **CLOSE)


# Any input, and the edges of the valid range

# No deadline: the first call of a TensorFlow operation takes long on a busy machine.
any_input = settings(deadline=None, derandomize=True, max_examples=50)
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=5)


def arrays(shape, low, high):
    return hnp.arrays(np.float64, shape, elements=st.floats(low, high, allow_subnormal=False))


def one_hot(data, rows, classes):
    label = data.draw(hnp.arrays(np.int64, rows, elements=st.integers(0, classes - 1)))
    return np.eye(classes)[label]


@any_input
@given(data=st.data())
@pytest.mark.parametrize(
    "name",
    [
        "mean_squared_error",
        "mean_absolute_error",
        "mean_absolute_percentage_error",
        "mean_squared_logarithmic_error",
        "huber",
        "log_cosh",
        "pinball",
        "hinge",
        "squared_hinge",
        "categorical_hinge",
        "multiclass_hinge",
    ],
)
def test_any_real_prediction_gives_what_keras_gives(name, data):
    entry = CATALOGUE[name]
    y_pred = data.draw(arrays(SHAPES, -1e6, 1e6))
    if entry.targets.encoding == "sign":
        y_true = data.draw(hnp.arrays(np.int64, y_pred.shape, elements=st.integers(-1, 1)))
    elif entry.targets.encoding == "one-hot":
        assume(y_pred.shape[1] > 1)
        y_true = one_hot(data, *y_pred.shape)
    else:
        y_true = data.draw(arrays(y_pred.shape, -1e6, 1e6))
    assert_same_as_keras(entry, y_true, y_pred)


@any_input
@given(data=st.data(), from_logits=st.booleans(), label_smoothing=st.floats(0, 1))
def test_any_binary_crossentropy_is_keras(data, from_logits, label_smoothing):
    low, high = (-1000.0, 1000.0) if from_logits else (0.0, 1.0)
    y_pred = data.draw(arrays(SHAPES, low, high))
    y_true = data.draw(arrays(y_pred.shape, 0.0, 1.0))
    parameters = {"from_logits": from_logits, "label_smoothing": label_smoothing}
    for name in ("binary_crossentropy", "binary_focal_crossentropy"):
        assert_same_as_keras(CATALOGUE[name], y_true, y_pred, **parameters)


@any_input
@given(data=st.data(), from_logits=st.booleans(), rows=st.integers(1, 4), classes=st.integers(2, 5))
def test_any_categorical_crossentropy_is_keras(data, from_logits, rows, classes):
    low, high = (-1000.0, 1000.0) if from_logits else (0.0, 1.0)
    y_pred = data.draw(arrays((rows, classes), low, high))
    if not from_logits:
        assume((y_pred.sum(axis=1) > 1e-3).all())
    y_true = one_hot(data, rows, classes)
    for name in ("categorical_crossentropy", "categorical_focal_crossentropy"):
        assert_same_as_keras(CATALOGUE[name], y_true, y_pred, from_logits=from_logits)
    sparse = CATALOGUE["sparse_categorical_crossentropy"]
    assert_same_as_keras(sparse, y_true.argmax(axis=1), y_pred, from_logits=from_logits)


@any_input
@given(data=st.data())
def test_any_kl_divergence_is_keras(data):
    y_pred = data.draw(arrays(SHAPES, 0.0, 1.0))
    y_true = data.draw(arrays(y_pred.shape, 0.0, 1.0))
    assert_same_as_keras(CATALOGUE["kl_divergence"], y_true, y_pred)


EDGES = {
    "real": (0.0, -0.0, 1.0, -1.0, 1e-6, 1e-300, 1e8, -1e8),
    "score": (0.0, 1.0, -1.0, 1.0 + 1e-15, 1e8, -1e8),
    "probability": (0.0, 1e-300, 1e-7, 0.5, 1 - 1e-7, 1.0),
}


@pytest.mark.parametrize(
    "entry", entries(lambda e: e.predictions.encoding in EDGES and e.targets.encoding != "one-hot")
)
def test_edges_of_the_valid_range_give_what_keras_gives(entry):
    y_pred = np.array(EDGES[entry.predictions.encoding])
    y_pred = y_pred[y_pred >= entry.predictions.low]
    y_true = {"binary": (0.0, 1.0, 0.5), "sign": (-1.0, 1.0)}.get(entry.targets.encoding, y_pred)
    y_true, y_pred = (grid.reshape(-1, 1) for grid in np.meshgrid(y_true, y_pred))
    assert_same_as_keras(entry, y_true, y_pred)


@pytest.mark.parametrize("entry", entries(lambda e: e.predictions.encoding == "distribution"))
def test_certain_predictions_give_what_keras_gives(entry):
    y_pred = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])
    y_true = np.array([0, 0, 2])
    y_true = y_true if entry.targets.encoding == "integer" else np.eye(3)[y_true]
    each = entry.numpy(y_true, y_pred)
    assert np.isfinite(each).all()
    if entry.name != "categorical_generalized_cross_entropy":  # its gradient: among the bugs below
        assert_same_as_keras(entry, y_true, y_pred)


def certain_and_wrong(entry, logit):
    """Two samples whose wrong class is ahead by a logit."""
    if entry.targets.encoding == "binary":
        return np.array([[1.0], [0.0]]), np.array([[-logit], [logit]])
    y_true, y_pred = np.array([0, 1]), np.array([[-logit, 0.0], [logit, 0.0]])
    return (y_true if entry.targets.encoding == "integer" else np.eye(2)[y_true]), y_pred


@pytest.mark.parametrize(
    "entry", entries(lambda e: e.takes_logits and e.name != "categorical_focal_crossentropy")
)
def test_huge_logits_lose_no_precision(entry):
    """From logits, the loss of a certain and wrong prediction is the distance of the logits."""
    y_true, y_pred = certain_and_wrong(entry, 1e4)
    np.testing.assert_allclose(entry.numpy(y_true, y_pred, from_logits=True), 1e4)
    assert_same_as_keras(entry, y_true, y_pred, from_logits=True)


def test_categorical_focal_loss_gives_up_on_huge_logits_as_in_keras():
    entry = CATALOGUE["categorical_focal_crossentropy"]
    y_true, y_pred = certain_and_wrong(entry, 1e4)
    each = entry.numpy(y_true, y_pred, from_logits=True)
    np.testing.assert_allclose(each, -0.25 * (1 - 1e-7) ** 2 * np.log(1e-7))
    assert (entry.gradient(y_true, y_pred, from_logits=True) == 0).all()
    assert_same_as_keras(entry, y_true, y_pred, from_logits=True)


@pytest.mark.parametrize("which", ["target", "prediction"])
def test_zero_vectors_have_no_direction(which):
    y_true, y_pred = np.array([[3.0, 4.0]]), np.array([[1.0, 0.0]])
    (y_true if which == "target" else y_pred)[:] = 0.0
    np.testing.assert_array_equal(losses.cosine_similarity(y_true, y_pred), 0.0)
    assert_same_as_keras(CATALOGUE["cosine_similarity"], y_true, y_pred)


@pytest.mark.parametrize("name", ["dice", "tversky"])
def test_empty_mask_rightly_predicted_costs_1(name):
    nothing = np.zeros((1, 4))
    assert CATALOGUE[name].numpy(nothing, nothing) == 1.0
    assert_same_as_keras(CATALOGUE[name], nothing, nothing)
    assert_same_as_keras(CATALOGUE[name], nothing, np.full((1, 4), 0.3))


def test_ctc_of_a_sequence_too_long_is_infinite_and_in_keras_a_large_number():
    y_true, y_pred = np.array([[1, 1]]), np.zeros((1, 2, 3))
    assert np.isposinf(losses.ctc(y_true, y_pred)).all()
    assert 600 < float(keras.losses.CTC()(y_true, y_pred)) < 800


def test_nan_stays_visible():
    assert np.isnan(losses.mean_squared_error([[0.0]], [[np.nan]])).all()
    assert np.isnan(losses.binary_crossentropy([[np.nan]], [[0.5]])).all()


# Worked by hand


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (losses.mean_squared_error([[100.0]], [[92.0]]), 64.0),
        (losses.mean_squared_error([[1.0, 2.0]], [[3.0, 6.0]]), (4 + 16) / 2),
        (losses.mean_absolute_error([[100.0]], [[92.0]]), 8.0),
        (losses.mean_absolute_percentage_error([[100.0]], [[92.0]]), 8.0),
        (losses.mean_absolute_percentage_error([[0.0]], [[1.0]]), 1e9),
        (losses.mean_squared_logarithmic_error([[np.e - 1]], [[np.e**3 - 1]]), 4.0),
        (losses.mean_squared_logarithmic_error([[-1.0]], [[-5.0]]), 0.0),
        (losses.huber([[100.0]], [[92.0]]), 7.5),
        (losses.huber([[100.0]], [[92.0]], delta=10.0), 32.0),
        (losses.log_cosh([[0.0]], [[1e6]]), 1e6 - np.log(2)),
        (losses.cosine_similarity([[1.0, 0.0]], [[1.0, 1.0]]), -np.sqrt(0.5)),
        (losses.poisson([[3]], [[2.0]]), 2 - 3 * np.log(2)),
        (losses.pinball([[10.0]], [[8.0]], quantile=0.9), 1.8),
        (losses.pinball([[8.0]], [[10.0]], quantile=0.9), 0.2),
        (losses.gaussian_negative_log_likelihood([[0.0]], [[0.0, 0.0]], full=True), 0.9189),
        (losses.binary_crossentropy([[1]], [[0.85]]), 0.1625),
        (losses.binary_crossentropy([[0]], [[0.85]]), 1.8971),
        (losses.binary_crossentropy([[1]], [[0.0]], from_logits=True), 0.6931),
        (losses.binary_crossentropy([[0]], [[1.0]]), 16.1181),
        (losses.categorical_crossentropy([[1, 0, 0]], [[0.16, 0.12, 0.72]]), 1.8326),
        (losses.sparse_categorical_crossentropy([[0]], [[0.16, 0.12, 0.72]]), 1.8326),
        (losses.kl_divergence([[1.0, 0.0]], [[0.25, 0.75]]), 1.3863),
        (losses.binary_focal_crossentropy([[1]], [[0.5]]), 0.25 * 0.6931),
        (losses.categorical_focal_crossentropy([[1, 0]], [[0.5, 0.5]]), 0.0625 * 0.6931),
        (losses.categorical_generalized_cross_entropy([1], [[0.75, 0.25]]), 1.0),
        (losses.hinge([[1]], [[0.85]]), 0.15),
        (losses.hinge([[0], [1]], [[0.85], [0.85]]).sum(), 2.0),
        (losses.squared_hinge([[-1]], [[0.85]]), 1.85**2),
        (losses.categorical_hinge([[0, 1, 0]], [[1.0, 3.0, 2.5]]), 0.5),
        (losses.multiclass_hinge([[0, 1, 0]], [[1.0, 3.0, 2.5]]), 0.5),
        (losses.dice([[1, 1, 0]], [[1.0, 0.0, 1.0]]), 0.5),
        (losses.dice_crossentropy([[1, 0]], [[0.5, 0.5]], dice_weight=2), 0.6931 + 2 * 0.5),
        (losses.gamma_deviance([[np.e]], [[1.0]]), 2 * (np.e - 2)),
        (losses.tweedie_deviance([[0.0]], [[9.0]]), 2 * 3 / 0.5),
        (losses.tweedie_deviance([[1.0]], [[4.0]]), 2 * (-4 + 1 + 4)),
        (losses.ordinal_crossentropy([0, 1, 2], [[30.0, -30.0]] * 3), [30.0, 0.0, 30.0]),
        (losses.contrastive([0, 1], [[0.0, 0.0], [0.3, 0.4]]), [0.125, 0.125]),
        (losses.contrastive([0, 0], [[0.0, 0.0], [0.3, 0.4]]), [0.125, 0.125]),
        (losses.triplet([0, 0, 1], [[0.0], [2.0], [3.0]]), [0.0, 2.0, 0.0]),
        (losses.info_nce([7, 7], [[1.0, 0.0], [0.0, 1.0]]), [0.0, 0.0]),
        (losses.info_nce([0, 0, 1], [[1.0, 0.0]] * 3), [0.6931, 0.6931, 0.0]),
        (losses.tversky([[1, 1, 0]], [[1.0, 0.0, 1.0]], alpha=1.0, beta=1.0), 2 / 3),
    ],
)
def test_values_worked_by_hand(value, expected):
    np.testing.assert_allclose(value, expected, atol=5e-5)


def test_semi_hard_rival_is_the_nearest_beyond_the_partner():
    """From 0: partners at 1 and 2, rivals at 0.5, 1.2 and 1.9; beyond 2 there is none."""
    labels = [0, 0, 0, 1, 2, 3]
    embeddings = np.array([[0.0], [1.0], [2.0], [0.5], [1.2], [1.9]])
    each = losses.triplet(labels, embeddings, margin=0.5, mining="semi-hard")
    np.testing.assert_allclose(each[0], ((0.5 + 1 - 1.2) + (0.5 + 2 - 1.9)) / 2)
    hard = losses.triplet(labels, embeddings, margin=0.5)
    np.testing.assert_allclose(hard[0], 0.5 + 2 - 0.5)


@pytest.mark.parametrize("name", ["gamma_deviance", "tweedie_deviance"])
def test_deviance_of_a_constant_is_smallest_at_the_mean(name):
    y = np.random.default_rng(0).gamma(0.5, 3.0, (1001, 1))
    at = [
        CATALOGUE[name].numpy(y, np.full_like(y, factor * y.mean())).mean()
        for factor in (0.99, 1.0, 1.01)
    ]
    assert np.argmin(at) == 1


def test_amounts_of_0_have_a_finite_tweedie_deviance_and_gradient():
    entry, zeros = CATALOGUE["tweedie_deviance"], np.array([[0.0], [0.0], [3.0]])
    predicted = np.array([[0.5], [20.0], [2.0]])
    assert_same_as_keras(entry, zeros, predicted, power=1.3)
    assert (entry.gradient(zeros, predicted)[:2] > 0).all()


def test_amount_of_0_has_an_infinite_gamma_deviance():
    with np.errstate(divide="ignore"):
        assert np.isposinf(losses.gamma_deviance([[0.0]], [[1.0]]))
    in_keras = keras_loss(CATALOGUE["gamma_deviance"], None)(np.zeros((1, 1)), np.ones((1, 1)))
    assert np.isposinf(in_keras)


@pytest.mark.parametrize("name", ["gamma_deviance", "tweedie_deviance"])
def test_negative_mean_is_nan_in_numpy_and_in_keras(name):
    entry = CATALOGUE[name]
    with np.errstate(invalid="ignore"):
        assert np.isnan(entry.numpy([[1.0]], [[-1.0]])).all()
    assert np.isnan(keras_loss(entry, None)(np.array([[1.0]]), np.array([[-1.0]]))).all()


def test_ordinal_crossentropy_grows_with_the_distance_of_the_ranks():
    sure_of_1 = np.tile([8.0, -8.0, -8.0, -8.0], (5, 1))
    by_rank = losses.ordinal_crossentropy(np.arange(5), sure_of_1)
    np.testing.assert_allclose(by_rank, 8 * np.abs(np.arange(5) - 1), atol=2e-3)


OF_PAIRS = ["contrastive", "triplet", "info_nce"]


@pytest.mark.parametrize("name", OF_PAIRS)
@pytest.mark.parametrize(
    "labels",
    [np.array([4]), np.array([4, 4, 4]), np.array([4, 5, 6]), np.array([[4], [4], [5]])],
    ids=["one sample", "one label", "no partner", "a column"],
)
def test_batches_that_lack_pairs_give_what_keras_gives(name, labels):
    entry = CATALOGUE[name]
    embeddings = np.random.default_rng(0).normal(size=(len(labels), 3))
    for parameters in combinations(entry):
        assert np.isfinite(entry.numpy(labels, embeddings, **parameters)).all()
        assert_same_as_keras(entry, labels, embeddings, **parameters)


@pytest.mark.parametrize("name", OF_PAIRS)
def test_nothing_pulls_collapsed_embeddings_apart(name):
    """All at one place, each has the same gradient; the loss of the triplets is the margin."""
    entry, labels, collapsed = CATALOGUE[name], np.array([0, 0, 1, 1]), np.full((4, 2), 0.6)
    for parameters in combinations(entry):
        slope = entry.gradient(labels, collapsed, **parameters)
        np.testing.assert_allclose(slope, np.broadcast_to(slope[0], slope.shape), atol=1e-12)
        assert_same_as_keras(entry, labels, collapsed, **parameters)
        if name == "triplet":
            assert (slope == 0).all()
            np.testing.assert_allclose(
                entry.numpy(labels, collapsed, **parameters), parameters["margin"]
            )


@pytest.mark.parametrize("name", OF_PAIRS)
def test_loss_of_pairs_falls_in_a_training_from_labels(name):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 32)
    x = rng.normal(size=(64, 2)) + np.stack([y, y], axis=1)
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(8, "tanh"), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((2,)), *layers, keras.layers.UnitNormalization()])
    loss = keras_class(CATALOGUE[name])()
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
    history = model.fit(x, y, epochs=20, batch_size=32, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_smallest_smoothed_loss_is_the_entropy_of_the_label():
    label = np.array([[1 - 0.1 + 0.1 / 3, 0.1 / 3, 0.1 / 3]])
    smallest = losses.categorical_crossentropy([[1, 0, 0]], label, label_smoothing=0.1)
    np.testing.assert_allclose(smallest, -np.sum(label * np.log(label)))
    np.testing.assert_allclose(smallest, 0.291, atol=5e-4)


def test_hinge_converts_labels_only_if_all_are_0_or_1():
    scores = [[0.3], [0.3]]
    converted = losses.hinge([[0], [1]], scores)
    np.testing.assert_array_equal(converted, losses.hinge([[-1], [1]], scores))
    np.testing.assert_allclose(losses.hinge([[0.05], [0.95]], scores), [0.985, 0.715])


def test_unnormalized_probabilities_are_divided_by_their_sum():
    loss = losses.categorical_crossentropy([[1, 0]], [[2.0, 6.0]])
    np.testing.assert_allclose(loss, np.log(4), rtol=1e-12)


def test_pinball_loss_is_smallest_at_the_quantile():
    y = np.random.default_rng(0).normal(size=(1001, 1))
    for quantile in (0.1, 0.5, 0.9):
        around = np.quantile(y, [quantile - 0.01, quantile, quantile + 0.01])
        at = [losses.pinball(y, np.full_like(y, c), quantile=quantile).mean() for c in around]
        assert np.argmin(at) == 1


@pytest.mark.parametrize("name", ["binary_focal_crossentropy", "categorical_focal_crossentropy"])
def test_focal_loss_without_focus_is_crossentropy(name):
    entry, plain = CATALOGUE[name], CATALOGUE[name.replace("_focal", "")]
    y_true, y_pred = examples(entry)
    factor = 0.25 if name.startswith("categorical") else 1.0
    for part in ("numpy", "gradient"):
        np.testing.assert_allclose(
            getattr(entry, part)(y_true, y_pred, gamma=0.0),
            factor * getattr(plain, part)(y_true, y_pred),
        )


def test_focal_loss_is_smallest_at_a_less_certain_probability():
    """For a true probability of 0.8 at 0.63, where cross-entropy is smallest at 0.8."""
    p = np.linspace(0.001, 0.999, 999)[:, None]
    for loss, best in [(losses.binary_focal_crossentropy, 0.63), (losses.binary_crossentropy, 0.8)]:
        expected = 0.8 * loss(np.ones_like(p), p) + 0.2 * loss(np.zeros_like(p), p)
        np.testing.assert_allclose(p[expected.argmin()], best, atol=0.005)


def test_ctc_sums_over_all_alignments():
    """Against an enumeration of all alignments of short sequences."""
    steps, classes = 4, 3
    logits = np.random.default_rng(0).normal(size=(1, steps, classes))
    p = np.exp(logits[0]) / np.exp(logits[0]).sum(axis=-1, keepdims=True)
    for labels in [(0, 0), (1, 0), (1, 1), (1, 2), (2, 2)]:
        likelihood = 0.0
        for path in itertools.product(range(classes), repeat=steps):
            merged = [c for c, before in zip(path, (None, *path), strict=False) if c != before]
            if [c for c in merged if c] == [label for label in labels if label]:
                likelihood += np.prod(p[range(steps), path])
        np.testing.assert_allclose(losses.ctc([labels], logits), -np.log(likelihood))


# Bugs of Keras 3.15 that the catalogue warns of. A failure here means that Keras repaired one:
# then correct its entry.


def test_bug_tversky_exchanges_alpha_and_beta():
    """One false positive and no false negative, so that alpha decides."""
    y_true, y_pred = np.array([[1.0, 1.0, 0.0, 0.0]]), np.array([[1.0, 1.0, 1.0, 0.0]])
    parameters = {"alpha": 0.9, "beta": 0.1}
    np.testing.assert_allclose(
        losses.tversky(y_true, y_pred, **parameters), 1 - 2 / (2 + 0.9), rtol=1e-6
    )
    in_keras = keras.losses.Tversky(**parameters, dtype="float64")(y_true, y_pred)
    np.testing.assert_allclose(in_keras, 1 - 2 / (2 + 0.1), rtol=1e-6)


def test_bug_categorical_hinge_counts_the_true_class_as_a_rival_with_score_0():
    y_true, y_pred = np.array([[1.0, 0.0]]), np.array([[-3.0, -5.0]])
    assert keras.losses.CategoricalHinge()(y_true, y_pred) == 4.0
    assert losses.multiclass_hinge(y_true, y_pred) == 0.0


def test_bug_generalized_cross_entropy_broadcasts_a_column_of_labels():
    y_true, y_pred = np.array([[0], [1], [1]]), np.full((3, 2), 0.5)
    loss = keras.losses.CategoricalGeneralizedCrossEntropy(reduction=None)
    assert loss(y_true, y_pred).shape == (3, 3)
    assert losses.categorical_generalized_cross_entropy(y_true, y_pred).shape == (3,)


@pytest.mark.parametrize(
    "entry", entries(lambda e: e.keras_class.startswith("keras.") and not e.takes_name)
)
def test_bug_name_of_the_function_is_no_string_for_compile(entry):
    assert callable(getattr(keras.losses, entry.name))
    with pytest.raises(ValueError, match="Could not interpret loss"):
        keras.losses.get(entry.name)


def test_bug_three_losses_lose_a_parameter_when_a_model_is_saved():
    losing = {
        entry.name
        for entry in CATALOGUE.values()
        if entry.keras_class.startswith("keras.")
        and set(inspect.signature(keras_class(entry)).parameters)
        - set(keras_class(entry)().get_config())
        - {"dtype"}
    }
    warned = {
        entry.name for entry in CATALOGUE.values() if any("23286" in trap for trap in entry.traps)
    }
    assert losing == warned == {"huber", "cosine_similarity", "sparse_categorical_crossentropy"}


def test_bug_focal_loss_without_focus_has_a_nan_gradient_at_a_right_and_certain_prediction():
    entry = CATALOGUE["binary_focal_crossentropy"]
    y_true, certain = np.array([[1.0]]), {False: np.array([[1.0]]), True: np.array([[100.0]])}
    for from_logits, y_pred in certain.items():
        parameters = {"gamma": 0.0, "from_logits": from_logits}
        assert np.isnan(keras_gradient(entry, y_true, y_pred, **parameters)).all()
        np.testing.assert_allclose(entry.gradient(y_true, y_pred, **parameters), 0.0, atol=1e-12)
    assert not np.isnan(keras_gradient(entry, y_true, certain[False], gamma=1.0)).any()


@pytest.mark.parametrize("name", ["categorical_crossentropy", "categorical_focal_crossentropy"])
def test_bug_smoothing_counts_the_classes_on_the_last_axis(name):
    entry = CATALOGUE[name]
    y_true, y_pred = np.eye(3)[[[0, 2]]], np.full((1, 2, 3), 1 / 3)
    right = entry.numpy(y_true, y_pred, label_smoothing=0.1).mean()
    moved = [np.moveaxis(array, -1, 1) for array in (y_true, y_pred)]
    loss = keras_class(entry)(label_smoothing=0.1, axis=1, dtype="float64")
    assert abs(float(loss(*moved)) - right) > 0.01 * right
    assert any("keras#23451" in trap for trap in entry.traps)


def test_bug_axis_of_sparse_crossentropy_is_an_error():
    loss = keras.losses.SparseCategoricalCrossentropy(axis=1)
    with pytest.raises(ValueError, match="axis"):
        loss(np.zeros((1, 2)), np.full((1, 3, 2), 1 / 3))


def test_bug_generalized_cross_entropy_has_a_nan_gradient_at_probability_0():
    entry = CATALOGUE["categorical_generalized_cross_entropy"]
    y_true, y_pred = np.array([0]), np.array([[0.0, 1.0]])
    np.testing.assert_array_equal(entry.gradient(y_true, y_pred), [[-np.inf, 0.0]])
    np.testing.assert_array_equal(keras_gradient(entry, y_true, y_pred), [[-np.inf, np.nan]])


# Wrong arguments


@pytest.mark.parametrize(
    "entry",
    entries(
        lambda e: (
            e.targets.encoding not in ("integer", "sequence")
            and e.predictions.encoding != "mean and log variance"
        )
    ),
)
@pytest.mark.parametrize("part", ["numpy", "gradient"])
def test_shapes_that_numpy_would_broadcast_are_refused(entry, part):
    function = getattr(entry, part)
    with pytest.raises(ValueError, match=r"shape \(5,\).*shape \(5, 1\).*y_true\[\.\.\., None\]"):
        function(np.ones(5), np.ones((5, 1)))
    with pytest.raises(ValueError, match=r"shape \(5, 1\).*shape \(5, 3\).*to_categorical"):
        function(np.ones((5, 1)), np.ones((5, 3)))
    with pytest.raises(ValueError, match=r"shape \(4, 3\).*shape \(5, 3\)"):
        function(np.ones((4, 3)), np.ones((5, 3)))


@pytest.mark.parametrize("entry", ENTRIES)
def test_predictions_without_an_axis_of_outputs_are_refused(entry):
    with pytest.raises(ValueError, match=r"shape \(3,\).*reshape\(-1, 1\)"):
        entry.numpy(np.ones(3), np.ones(3))


@pytest.mark.parametrize("entry", ENTRIES)
def test_text_is_refused_with_a_remedy(entry):
    with pytest.raises(TypeError, match=r"y_true is not an array of numbers.*yes.*LabelEncoder"):
        entry.numpy([["yes"]], [[0.5]])


@pytest.mark.parametrize("wrong", [-1, 3, 0.5, np.nan])
def test_labels_that_are_no_class_are_refused(wrong):
    with pytest.raises(ValueError, match=r"classes 0 to 2"):
        losses.sparse_categorical_crossentropy([0, wrong], np.full((2, 3), 1 / 3))


@pytest.mark.parametrize(
    ("name", "y_true", "y_pred", "message"),
    [
        ("sparse_categorical_crossentropy", np.eye(3), np.eye(3), "argmax"),
        ("categorical_generalized_cross_entropy", np.eye(3), np.eye(3), "argmax"),
        ("ctc", [[1, 5]], np.zeros((1, 4, 3)), r"holds 5.*classes 1 to 2"),
        ("ctc", [[0, 1]], np.zeros((1, 4, 3)), "0 before a label"),
        ("ctc", [1, 2], np.zeros((2, 4, 3)), r"shape \(2,\).*shape \(n, L\)"),
        ("ctc", [[1], [2]], np.zeros((1, 4, 3)), r"shape \(2, 1\).*shape \(1, 4, 3\)"),
        ("circle", [0, 1], np.zeros((3, 2)), r"shape \(2,\).*shape \(3, 2\)"),
        ("circle", [[0, 1]], np.zeros((1, 2, 2)), r"shape \(1, 2, 2\).*shape \(n, d\)"),
        ("triplet", [[0, 1]], np.zeros((1, 2, 2)), r"shape \(1, 2, 2\).*shape \(n, d\)"),
        ("ordinal_crossentropy", [0, 3], np.zeros((2, 2)), r"holds 3.*classes 0 to 2"),
        ("ordinal_crossentropy", [0, 0.5], np.zeros((2, 2)), r"holds 0.5"),
        ("ordinal_crossentropy", np.eye(2), np.zeros((2, 2)), "argmax"),
        ("gaussian_negative_log_likelihood", [[1.0]], [[1.0]], r"two outputs.*Dense\(2\)"),
        ("gaussian_negative_log_likelihood", [1.0], [[1.0, 0.0]], r"shape \(1,\)"),
    ],
)
def test_shapes_and_labels_of_particular_losses_are_checked(name, y_true, y_pred, message):
    for function in (CATALOGUE[name].numpy, CATALOGUE[name].gradient):
        with pytest.raises(ValueError, match=message):
            function(y_true, y_pred)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("huber", {"delta": 0.0}),
        ("huber", {"delta": np.nan}),
        ("binary_crossentropy", {"label_smoothing": 1.5}),
        ("categorical_crossentropy", {"label_smoothing": -0.1}),
        ("pinball", {"quantile": 1.1}),
        ("pinball", {"quantile": [0.1, 0.9]}),
        ("categorical_generalized_cross_entropy", {"q": 1.0}),
        ("circle", {"gamma": 0.0}),
        ("binary_focal_crossentropy", {"gamma": -1.0}),
        ("categorical_focal_crossentropy", {"gamma": np.nan}),
        ("categorical_focal_crossentropy", {"alpha": [0.2, 0.8]}),
        ("contrastive", {"margin": 0.0}),
        ("triplet", {"margin": -1.0}),
        ("triplet", {"mining": "easy"}),
        ("info_nce", {"temperature": 0.0}),
        ("tweedie_deviance", {"power": 1.0}),
        ("tweedie_deviance", {"power": 2.0}),
        ("tweedie_deviance", {"power": np.nan}),
        ("dice_crossentropy", {"dice_weight": -1.0}),
        ("dice_crossentropy", {"axis": 99}),
        ("dice", {"axis": 99}),
        ("tversky", {"axis": (1, -4)}),
        ("dice", {"axis": 0.5}),
    ],
)
def test_parameters_outside_their_range_are_refused(name, parameters):
    entry = CATALOGUE[name]
    (parameter,) = parameters
    for function in (entry.numpy, entry.gradient):
        with pytest.raises(ValueError, match=parameter):
            function(*examples(entry), **parameters)


@pytest.mark.parametrize(
    ("name", "parameters"), [("huber", {"delta": "1 m"}), ("pinball", {"quantile": [[], [0.1]]})]
)
def test_parameters_that_are_no_numbers_are_refused(name, parameters):
    (parameter,) = parameters
    with pytest.raises(TypeError, match=f"{parameter} is not an array of numbers.*Give a number"):
        CATALOGUE[name].numpy(*examples(CATALOGUE[name]), **parameters)


def test_definition_given_to_compile_says_what_to_give_instead():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss=losses.huber)
    with pytest.raises(TypeError, match="computes with NumPy.*Keras loss"):
        model.fit(np.zeros((4, 1)), np.zeros((4, 1)), verbose=0)


@pytest.mark.parametrize("which", ["y_true", "y_pred"])
def test_mask_of_a_masked_array_is_not_lost_in_silence(which):
    arrays = {"y_true": np.zeros((3, 1)), "y_pred": np.ones((3, 1))}
    arrays[which] = np.ma.masked_array(arrays[which], mask=[[True], [False], [False]])
    with pytest.raises(TypeError, match=f"{which} is a masked array.*Pass the rows that count"):
        losses.mean_squared_error(**arrays)


def test_curve_of_less_than_two_points_is_refused():
    with pytest.raises(ValueError, match="points=0"):
        CATALOGUE["huber"].along_curve(points=0)


# The Keras classes of losses that Keras lacks


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's saving
@pytest.mark.parametrize("entry", OWN_CLASS)
def test_own_class_trains_saves_and_loads(entry, tmp_path):
    y_true, y_pred = examples(entry)
    output = keras.layers.Dense(y_pred.shape[1], activation=entry.activation[0])
    model = keras.Sequential([keras.Input((3,)), output])
    model.compile(optimizer="sgd", loss=keras_class(entry)())
    x = np.random.default_rng(0).normal(size=(len(y_true), 3))
    model.fit(x, y_true, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.loss) is keras_class(entry)
    expected = entry.numpy(y_true, model.predict(x, verbose=0)).mean()
    np.testing.assert_allclose(loaded.evaluate(x, y_true, verbose=0), expected, rtol=1e-5)


@pytest.mark.parametrize("entry", OWN_CLASS)
def test_own_class_keeps_its_parameters(entry):
    for parameters in combinations(entry):
        loss = keras.losses.deserialize(keras.losses.serialize(keras_class(entry)(**parameters)))
        assert {name: getattr(loss, name) for name in parameters} == parameters


@pytest.mark.parametrize(
    "entry",
    entries(lambda e: not e.keras_class.startswith("keras.") and e.targets.encoding != "integer"),
)
def test_own_class_refuses_targets_that_would_broadcast(entry):
    with pytest.raises(ValueError, match=r"shape \(5,\).*reshape\(-1, 1\)"):
        keras_class(entry)()(np.ones(5), np.ones((5, 2)))
    with pytest.raises(ValueError, match=r"shape \(5, 1\).*shape \(5, 3\)"):
        keras_class(entry)()(np.ones((5, 1)), np.ones((5, 3)))


OWN_OF_LABELS = entries(
    lambda e: not e.keras_class.startswith("keras.") and e.targets.encoding == "integer"
)


@pytest.mark.parametrize("entry", OWN_OF_LABELS)
def test_own_class_of_labels_refuses_one_hot_rows(entry):
    loss = keras_class(entry)()
    with pytest.raises(ValueError, match=r"shape \(5, 3\).*one class number.*argmax"):
        loss(np.eye(5, 3), np.ones((5, 3)))
    assert np.isfinite(loss(np.zeros((5, 1)), np.eye(5, 3)))


def test_own_class_of_a_batch_refuses_embeddings_that_are_no_rows():
    with pytest.raises(ValueError, match=r"shape \(2, 3, 4\).*\(n, d\)"):
        keras_class(CATALOGUE["triplet"])()(np.ones((2, 3)), np.ones((2, 3, 4)))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("contrastive", {"margin": 0}),
        ("triplet", {"mining": "easy"}),
        ("info_nce", {"temperature": -1}),
        ("tweedie_deviance", {"power": 2}),
        ("dice_crossentropy", {"dice_weight": -1}),
    ],
)
def test_own_class_refuses_a_parameter_when_it_is_made(name, parameters):
    (parameter,) = parameters
    with pytest.raises(ValueError, match=parameter):
        keras_class(CATALOGUE[name])(**parameters)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's saving
def test_pinball_class_with_an_array_of_quantiles_is_saved(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    loss = keras_class(CATALOGUE["pinball"])(quantile=np.array([0.1, 0.5, 0.9]))
    model.compile(optimizer="sgd", loss=loss)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.loss.quantile == [0.1, 0.5, 0.9]


@pytest.mark.parametrize("entry", OWN_CLASS)
def test_own_class_keeps_its_precision(entry):
    loss = keras_class(entry)(dtype="float64")
    assert keras.losses.deserialize(keras.losses.serialize(loss)).dtype == "float64"


def test_pinball_class_checks_its_quantile():
    with pytest.raises(ValueError, match="quantile"):
        keras_class(CATALOGUE["pinball"])(quantile=90)


# The catalogue


def test_every_public_loss_class_of_keras_has_an_entry():
    public = {
        f"keras.losses.{name}"
        for name, value in vars(keras.losses).items()
        if inspect.isclass(value) and value is not keras.losses.Loss
    }
    assert len(public) >= 22
    described = {entry.keras_class for entry in CATALOGUE.values()}
    assert public == {path for path in described if path.startswith("keras.")}


@pytest.mark.parametrize("entry", ENTRIES)
def test_parameters_and_defaults_are_those_of_keras(entry):
    keras_parameters = {
        name: parameter.default
        for name, parameter in inspect.signature(keras_class(entry)).parameters.items()
        if name not in ("reduction", "name", "dtype")
    }
    assert {**entry.parameters, **entry.fixed} == keras_parameters
    assert not set(entry.parameters) & set(entry.fixed)
    assert inspect.signature(entry.numpy) == inspect.signature(entry.gradient)


@pytest.mark.parametrize(
    "entry", entries(lambda e: e.keras_class.startswith("keras.") and e.takes_name)
)
def test_names_and_aliases_are_strings_that_compile_takes(entry):
    function = getattr(keras.losses, entry.name)
    for name in (entry.name, *entry.aliases):
        assert keras.losses.get(name) is function


@pytest.mark.parametrize("entry", ENTRIES)
def test_activations_and_definition_are_known_by_name(entry):
    for activation in entry.activation:
        assert keras.activations.get(activation).__name__ == activation
    assert getattr(losses, entry.name) is entry.numpy
    assert entry.name in losses.__all__


@pytest.mark.parametrize("entry", ENTRIES)
def test_entry_is_complete(entry):
    for text in ("title", "task", "formula", "activation", "equivalents", "traps", "sources"):
        assert getattr(entry, text), text
    assert "$" not in entry.formula
    assert entry.formula.count("{") == entry.formula.count("}")
    assert entry.targets.description
    assert entry.predictions.description
    assert all(source.url.startswith("https://") for source in entry.sources)
    assert {equivalent.framework for equivalent in entry.equivalents} <= set(losses.IMPORTS)


@pytest.mark.parametrize("entry", ENTRIES)
def test_slope_of_the_curve_integrates_to_the_loss(entry):
    t, curves = entry.along_curve(points=2001)
    assert curves
    for loss, slope in curves.values():
        assert loss.shape == slope.shape == t.shape
        assert np.isfinite(loss).all()
        integral = np.concatenate([[0], np.cumsum((slope[1:] + slope[:-1]) / 2 * np.diff(t))])
        np.testing.assert_allclose(integral, loss - loss[0], atol=2e-3 * np.ptp(loss))


@pytest.mark.parametrize(
    "module", [m.name for m in pkgutil.iter_modules(losses.__path__, "lossutils.losses.")]
)
def test_examples_of_the_docstrings_run(module):
    result = doctest.testmod(importlib.import_module(module))
    assert result.failed == 0


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_definition_shows_an_example(entry):
    assert ">>>" in entry.numpy.__doc__
