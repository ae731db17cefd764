"""The reference and its pictures are what the catalogue says today, and say what is true."""

import re
import unicodedata

import keras
import notebooks
import numpy as np
import pytest
import reference
from loss_inputs import combinations, examples

from lossutils.losses import CATALOGUE

REMEDY = "run `make reference` and look at the difference"


def test_page_is_up_to_date():
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), REMEDY


@pytest.mark.parametrize("name", CATALOGUE)
def test_page_of_a_loss_is_up_to_date(name):
    stored = (reference.LOSSES / f"{name}.md").read_text(encoding="utf-8")
    assert stored == reference.loss_page(CATALOGUE[name]), REMEDY


def test_contents_have_every_loss_once_and_in_order():
    listed = [page for page in notebooks.pages() if page.startswith("reference/losses/")]
    assert listed == [f"reference/losses/{name}" for name in CATALOGUE]


@pytest.mark.parametrize("name", CATALOGUE)
def test_picture_is_up_to_date(name):
    stored = reference.pixels((reference.LOSSES / f"{name}.png").read_bytes())
    fresh = reference.pixels(reference.picture(CATALOGUE[name]))
    assert stored.shape == fresh.shape, REMEDY
    # Another build of the font renderer may shade the edge of a letter otherwise.
    assert np.abs(stored - fresh).mean() < 0.5, REMEDY


def test_nothing_is_left_of_a_loss_that_is_gone():
    assert {path.stem for path in reference.LOSSES.iterdir()} == set(CATALOGUE)


# A reader pastes one block


def pasted(entry):
    """Return what the block of a loss defines where nothing else is defined."""
    page = (reference.LOSSES / f"{entry.name}.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^## In NumPy\n\n```python\n(.*?)\n```", page, re.S | re.M)
    names = {}
    exec(code, names)
    return names


@pytest.mark.parametrize("name", CATALOGUE)
def test_pasted_block_computes_loss_and_gradient(name):
    entry = CATALOGUE[name]
    names = pasted(entry)
    for parameters in combinations(entry):
        y_true, y_pred = examples(entry, **parameters)
        for function in (entry.numpy, entry.gradient):
            np.testing.assert_array_equal(
                names[function.__name__](y_true, y_pred, **parameters),
                function(y_true, y_pred, **parameters),
            )


def takes_targets_of_the_shape_of_predictions(entry):
    return entry.targets.encoding not in ("integer", "sequence")


@pytest.mark.parametrize(
    "name", [n for n, e in CATALOGUE.items() if takes_targets_of_the_shape_of_predictions(e)]
)
def test_pasted_block_refuses_what_numpy_would_broadcast(name):
    function = pasted(CATALOGUE[name])[name]
    with pytest.raises(ValueError, match="shapes"):
        function(np.ones(4), np.ones((4, 2)))


def test_pasted_block_refuses_a_label_that_numpy_counts_from_the_end():
    function = pasted(CATALOGUE["sparse_categorical_crossentropy"])
    with pytest.raises(ValueError, match="not one of the classes"):
        function["sparse_categorical_crossentropy"]([-1], [[0.5, 0.5]])


# What the page says of all losses


RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 5, 2))
LABELS = RNG.integers(0, 3, (8, 5))


def classifier(**options):
    model = keras.Sequential([keras.Input((5, 2)), keras.layers.Dense(3, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", **options)
    return model


def regressor(loss="mse", **options):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(loss=loss, optimizer=keras.optimizers.SGD(0.0), **options)
    return model


def test_mean_divides_by_the_positions_of_a_sequence_whatever_the_weights():
    model, weights = classifier(), np.array([1.0, 2.0, 3.0])[LABELS]
    each = keras.losses.SparseCategoricalCrossentropy(reduction=None)(LABELS, model(X))
    total = model.evaluate(X, LABELS, sample_weight=weights, verbose=0)
    assert total == pytest.approx(np.sum(each * weights) / 40, rel=1e-5)


def test_mask_leaves_positions_out_of_the_sum_and_of_the_divisor():
    model = keras.Sequential(
        [
            keras.Input((5, 2)),
            keras.layers.Masking(),
            keras.layers.Dense(1, kernel_initializer="ones"),
        ]
    )
    model.compile(loss="mse")
    x, kept = X.copy(), LABELS > 0
    x[~kept] = 0
    expected = np.mean(x.sum(axis=-1)[kept] ** 2)
    assert model.evaluate(x, np.zeros((8, 5, 1)), verbose=0) == pytest.approx(expected, rel=1e-5)


def test_total_is_the_weighted_sum_of_the_losses_and_the_penalties():
    inputs = keras.Input((2,))
    first = keras.layers.Dense(1, name="a", kernel_regularizer=keras.regularizers.L2(0.1))(inputs)
    model = keras.Model(inputs, {"a": first, "b": keras.layers.Dense(1, name="b")(inputs)})
    model.compile(loss={"a": "mse", "b": "mae"}, loss_weights={"a": 0.3, "b": 2.0})
    x, y = X[0], np.ones((5, 1))
    got = model.evaluate(x, {"a": y, "b": y}, verbose=0, return_dict=True)
    predicted = model(x)
    squared, absolute = np.mean((predicted["a"] - y) ** 2), np.mean(np.abs(predicted["b"] - y))
    penalty = 0.1 * np.sum(np.square(model.get_layer("a").kernel))
    assert got["loss"] == pytest.approx(0.3 * squared + 2 * absolute + penalty, rel=1e-5)
    assert got["a_loss"] == pytest.approx(squared, rel=1e-5)


def test_weights_reach_the_loss_and_weighted_metrics_and_the_validation_only_if_given():
    x, y, weights = X[0], np.ones((5, 1)), np.arange(5.0)
    model = regressor(metrics=["mse"], weighted_metrics=["mse"])
    each = np.square(model(x) - y)[:, 0]

    def fit(*validation):
        history = model.fit(x, y, sample_weight=weights, validation_data=validation, verbose=0)
        return {name: values[0] for name, values in history.history.items()}

    plain, given = fit(x, y), fit(x, y, weights)
    assert plain["loss"] == pytest.approx(np.mean(each * weights), rel=1e-5)
    assert plain["mse"] == pytest.approx(np.mean(each), rel=1e-5)
    assert plain["val_loss"] == pytest.approx(np.mean(each), rel=1e-5)
    assert given["val_loss"] == pytest.approx(plain["loss"], rel=1e-5)
    expected = np.sum(each * weights) / weights.sum()
    assert plain["weighted_mse"] == pytest.approx(expected, rel=1e-5)


def test_missing_targets_with_weight_0_count_only_in_the_divisor():
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(2), keras.layers.Reshape((2, 1))]
    )
    y = np.ones((5, 2))
    y[0, 0] = y[3, 1] = np.nan
    errors = np.square(model(X[0])[..., 0] - y)
    for reduction, divisor in (("sum_over_batch_size", 10), ("mean_with_sample_weight", 8)):
        model.compile(loss=keras.losses.MeanSquaredError(reduction=reduction))
        loss = model.evaluate(
            X[0], np.nan_to_num(y)[..., None], sample_weight=~np.isnan(y), verbose=0
        )
        assert loss == pytest.approx(np.nansum(errors) / divisor, rel=1e-5)


@pytest.mark.parametrize(
    ("targets", "loss", "said"),
    [
        (LABELS, "sparse_categorical_crossentropy", "InvalidArgumentError"),
        (np.eye(3)[LABELS], "categorical_crossentropy", "only 0-dimensional arrays can be"),
    ],
)
def test_message_of_class_weights_for_sequences(targets, loss, said):
    model = classifier()
    model.compile(loss=loss, optimizer="sgd")
    with pytest.raises(Exception, match="(?s).") as raised:
        model.fit(X, targets, class_weight={0: 1.0, 1: 2.0, 2: 3.0}, verbose=0)
    assert said in f"{raised.typename} {raised.value}"
    assert said in reference.ENDING.read_text(encoding="utf-8")


def test_message_of_a_loss_without_a_gradient():
    model = regressor(lambda y_true, y_pred: keras.ops.mean(keras.ops.round(y_pred) - y_true))
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        model.fit(X[0], np.ones((5, 1)), verbose=0)


def test_message_of_class_weights_for_two_outputs():
    inputs = keras.Input((2,))
    outputs = [keras.layers.Dense(1, activation="sigmoid")(inputs) for _ in range(2)]
    model = keras.Model(inputs, outputs)
    model.compile(loss=["binary_crossentropy"] * 2, optimizer="sgd")
    with pytest.raises(ValueError, match="only supported for Models with a single output"):
        model.fit(X[0], [np.ones((5, 1))] * 2, class_weight={0: 1.0, 1: 2.0}, verbose=0)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's saving
def test_message_of_a_saved_loss_of_ones_own(tmp_path):
    def my_loss(y_true, y_pred):
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    model, path = regressor(my_loss), tmp_path / "model.keras"
    model.save(path)
    with pytest.raises(TypeError, match="Could not locate function 'my_loss'"):
        keras.saving.load_model(path)
    loaded = keras.saving.load_model(path, custom_objects={"my_loss": my_loss})
    assert loaded.loss is my_loss
    assert not keras.saving.load_model(path, compile=False).compiled


def test_message_of_a_loss_added_to_a_model():
    inputs = keras.Input((2,))
    with pytest.raises(NotImplementedError):
        keras.Model(inputs, keras.layers.Dense(1)(inputs)).add_loss(0.0)


def test_loss_is_scaled_for_a_global_policy_and_not_for_that_of_a_layer():
    layer = keras.layers.Dense(1, dtype="mixed_float16")
    of_layer = keras.Sequential([keras.Input((2,)), layer])
    of_layer.compile(loss="mse", optimizer="sgd")
    assert not isinstance(of_layer.optimizer, keras.optimizers.LossScaleOptimizer)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        assert isinstance(regressor().optimizer, keras.optimizers.LossScaleOptimizer)
    finally:
        keras.config.set_dtype_policy(before)


# The glossary and the bibliography


@pytest.mark.parametrize("name", ["glossary", "bibliography"])
def test_entries_stand_in_alphabetical_order(name):
    text = (reference.PAGE.parent / f"{name}.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.M)
    plain = [unicodedata.normalize("NFKD", heading).lower() for heading in headings]
    letters = [re.sub(r"[^a-z0-9 ]", "", heading) for heading in plain]
    assert letters == sorted(letters)
    assert len(set(letters)) == len(letters)
