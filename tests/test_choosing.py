"""The page on choosing a loss: each row of its tables is trained, each mistake is made."""

import ast
import re

import guide
import keras
import numpy as np
import pytest
from notebooks import BOOK

from lossutils import datasets, losses, models, training
from lossutils.checks import check_setup
from lossutils.losses import keras_losses

PAGE = (BOOK / "choosing.md").read_text(encoding="utf-8")
K = 3

# What the code of the page may name.
NAMES = {
    "Dense": keras.layers.Dense,
    "K": K,
    "losses": keras.losses,
    "metrics": keras.metrics,
    "GammaDeviance": keras_losses.GammaDeviance,
    "OrdinalCrossentropy": keras_losses.OrdinalCrossentropy,
    "Pinball": keras_losses.Pinball,
    "GaussianNegativeLogLikelihood": keras_losses.GaussianNegativeLogLikelihood,
}


def rows_of(section):
    """Return the cells of each row of the table of a section, its head left out."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def compile_calls(section):
    """Return the loss and the metrics of each `model.compile` in the code of a section."""
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", section, re.M | re.S))
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    calls = [call for call in calls if ast.unparse(call.func) == "model.compile"]
    for call in calls:
        metrics = [keyword.value for keyword in call.keywords if keyword.arg == "metrics"]
        yield ast.unparse(call.args[1]), ast.unparse(metrics[0]) if metrics else "[]"


def sections():
    """Return the text of each section of the page by its heading."""
    parts = re.split(r"^## (.+)$", PAGE, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def recipes():
    """Return a parameter set for each row of the tables, with its line of code."""
    for heading, section in sections().items():
        rows = rows_of(section)
        if rows and len(rows[0]) == 5:
            calls = list(compile_calls(section))
            assert len(calls) == len(rows), f"a line of code for each row of “{heading}”"
            for (want, targets, layer, loss, _), (as_object, metrics) in zip(
                rows, calls, strict=True
            ):
                layer = re.fullmatch(r"`(.+)`", layer)[1]
                loss = re.fullmatch(r'`"(.+)"`|no string', loss)[1]
                name = re.sub(r"\[(.+?)\]\(.+?\)", r"\1", want)
                yield pytest.param(targets, layer, loss, as_object, metrics, id=name)


RECIPES = list(recipes())


def problem(targets, n=120):
    """Return inputs, and targets that depend on them, in an encoding that the page names."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4))
    score = x @ rng.normal(size=(4, K))
    label = np.argmax(score + rng.gumbel(size=score.shape), axis=1)
    one = score[:, :1]
    y = {
        "any number, standardized": one / one.std() + 0.1 * rng.normal(size=(n, 1)),
        "positive, not standardized": np.exp(one),
        "0, 1, 2, …": rng.poisson(np.exp(one / 2)),
        "0 or 1": (one + rng.logistic(size=(n, 1)) > 0).astype(int),
        "one-hot, `(n, K)`": np.eye(K)[label],
        "integers 0 to K − 1": label[:, None],
        "grades 0 to K − 1": np.digitize(one + rng.logistic(size=(n, 1)), [-1, 1]),
        "rows of probabilities, `(n, K)`": np.exp(score) / np.exp(score).sum(1, keepdims=True),
        "rows of 0 and 1, `(n, K)`": (score + rng.logistic(size=score.shape) > 0).astype(int),
    }
    return x, y[targets]


def trained(x, y, layer, loss, metrics=()):
    """Return a model after a few steps, and what it measured before and after."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((x.shape[1],)), keras.layers.Dense(16, "relu"), layer])
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss=loss, metrics=list(metrics))
    before = model.evaluate(x, y, batch_size=len(x), verbose=0, return_dict=True)
    model.fit(x, y, batch_size=6, epochs=2, verbose=0)
    return model, before, model.evaluate(x, y, batch_size=len(x), verbose=0, return_dict=True)


def evaluated(code):
    return eval(code, dict(NAMES))


each_row = pytest.mark.parametrize(("targets", "layer", "loss", "as_object", "metrics"), RECIPES)


@each_row
def test_row_trains(targets, layer, loss, as_object, metrics):
    x, y = problem(targets)
    model, before, after = trained(x, y, evaluated(layer), evaluated(as_object), evaluated(metrics))
    assert np.isfinite(np.hstack(list(after.values()))).all()
    assert after["loss"] < before["loss"] - 0.01
    assert len(after) == 1 + len(evaluated(metrics))
    assert np.std(model(x)) > 0

    if loss is not None:
        by_string = keras.losses.get(loss)(y.astype(np.float32), model(x))
        assert np.mean(by_string) == pytest.approx(after["loss"], rel=1e-6)


@each_row
def test_row_agrees_with_the_catalogue(targets, layer, loss, as_object, metrics):
    loss = evaluated(as_object)
    by_class = {entry.keras_class.split(".")[-1]: entry for entry in losses.CATALOGUE.values()}
    entry = by_class[type(loss).__name__]
    activation = evaluated(layer).activation.__name__
    from_logits = loss.get_config().get("from_logits", False)
    assert activation in (("linear",) if from_logits else entry.activation)


def test_every_chapter_on_a_loss_is_in_a_table():
    linked = set(re.findall(r"\]\(((?:regression|binary|multiclass)/\w+)\.ipynb\)", PAGE))
    chapters = {
        path.relative_to(BOOK).with_suffix("").as_posix()
        for part in ("regression", "binary", "multiclass")
        for path in (BOOK / part).glob("*.ipynb")
    }
    assert chapters <= linked


def test_example_put_together_runs():
    [code] = re.findall(r"^```python\n(.*?)^```", sections()["Put together"], re.M | re.S)
    names = dict(NAMES)
    exec(code, names)
    data = datasets.regression()
    history = names["model"].fit(data.x_train, data.y_train, epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]
    assert "root_mean_squared_error" in history


# The guide: questions, and answers with code.

QUESTION, ANSWERS = guide.data()


def test_every_answer_of_the_guide_can_be_reached():
    assert set(guide.leaves(QUESTION)) == set(ANSWERS)


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_of_the_guide_trains_and_passes_the_checker(name):
    answer = ANSWERS[name]
    signs = answer["targets"] == "−1 or 1"
    x, y = problem("0 or 1" if signs else answer["targets"])
    names = {"x_train": x, "y_train": 2 * y - 1 if signs else y}
    code = guide.snippet(answer)
    assert "epochs=20" in code
    keras.utils.set_random_seed(0)
    exec(code.replace("epochs=20", "epochs=2, verbose=0"), names)
    model = names["model"]
    values = model.history.history["loss"]
    assert np.isfinite(values).all()
    assert values[1] < values[0]
    findings = check_setup(model, x, names["y_train"])
    # Notes that belong to the loss, which the answer mentions; never an error or a warning.
    assert [finding.code for finding in findings] == answer.get("checker_notes", [])
    assert {finding.severity for finding in findings} <= {"info"}
    assert (BOOK / f"{answer['chapter']}.ipynb").is_file()


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_of_the_guide_has_its_row_in_a_table(name):
    answer = ANSWERS[name]
    section = PAGE.replace("y_train", "")
    title = re.sub("[^a-z ]", "", answer["title"].lower())
    assert set(title.split()) <= set(re.findall("[a-z]+", section.lower()))
    assert f"{answer['chapter']}.ipynb" in PAGE


# The five mistakes, in the order of their table.


def test_five_mistakes_are_made_below():
    assert len(rows_of(sections()["Five mistakes that raise no error"])) == 5


def test_integer_labels_under_categorical_cross_entropy_are_an_error():
    x, y = problem("integers 0 to K − 1")
    with pytest.raises(ValueError, match="must have the same shape"):
        trained(x, y, keras.layers.Dense(K, "softmax"), "categorical_crossentropy")


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_linear_layer_under_cross_entropy_stays_behind(loss):
    data = datasets.blobs(one_hot=not loss.startswith("sparse"))

    def build(activation):
        model = models.mlp(2, [50], 3, activation=activation)
        model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss=loss, metrics=["accuracy"])
        return model

    # Where a probability is clipped, a last digit decides: single runs differ between machines.
    mean = {}
    for activation in ("softmax", "linear"):
        runs = training.repeat(lambda name=activation: build(name), data, epochs=20, seeds=10)
        mean[activation] = runs.groupby("measure")["value"].mean()
    assert mean["linear"]["test_accuracy"] < mean["softmax"]["test_accuracy"] - 0.2
    assert mean["linear"]["train_loss"] > 2 * mean["softmax"]["train_loss"]


def test_softmax_over_one_unit_predicts_one_while_the_loss_falls():
    x, y = problem("0 or 1")
    layer = keras.layers.Dense(1, "softmax")
    with pytest.warns(UserWarning, match="softmax over axis -1"):
        model, before, after = trained(x, y, layer, "binary_crossentropy", ["accuracy"])
    with pytest.warns(UserWarning, match="softmax over axis -1"):
        assert np.all(model(x) == 1)
    assert before["accuracy"] == after["accuracy"] == pytest.approx(y.mean())
    assert after["loss"] < before["loss"]


@pytest.mark.parametrize("labels", [(-1, 1), (1, 2)])
def test_labels_outside_0_and_1_make_the_loss_negative(labels):
    x, y = problem("0 or 1")
    y = np.where(y == 1, labels[1], labels[0])
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss="binary_crossentropy")
    values = model.fit(x, y, batch_size=6, epochs=4, verbose=0).history["loss"]
    assert values[-1] < values[-2] < 0


def test_accuracy_means_another_thing_for_scores_numbers_and_several_labels():
    x, y = problem("0 or 1")
    at_zero = keras.metrics.BinaryAccuracy(threshold=0)
    model, _, after = trained(x, y, keras.layers.Dense(1), "hinge", ["accuracy", at_zero])
    scores = model.predict(x, verbose=0)
    assert after["accuracy"] == pytest.approx(np.mean((scores > 0.5) == y))
    assert after["binary_accuracy"] == pytest.approx(np.mean((scores > 0) == y))

    x, y = problem("any number, standardized")
    assert trained(x, y, keras.layers.Dense(1), "huber", ["accuracy"])[2]["accuracy"] == 0

    x, y = problem("rows of 0 and 1, `(n, K)`")
    model, _, after = trained(
        x, y, keras.layers.Dense(K, "sigmoid"), "binary_crossentropy", ["accuracy"]
    )
    largest = model.predict(x, verbose=0).argmax(axis=1)
    assert after["accuracy"] == pytest.approx(np.mean(largest == y.argmax(axis=1)))


def test_unscaled_targets_diverge():
    x, y = problem("any number, standardized")
    with np.errstate(all="ignore"):
        _, before, after = trained(x, 500 * y, keras.layers.Dense(1), "mean_squared_error")
    assert not after["loss"] < before["loss"]
