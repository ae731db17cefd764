"""The networks of the playground train as lossutils does, for all that the page offers."""

import json
import subprocess

import keras
import numpy as np
import playground
import playground_assets
import playground_data
import pytest
from notebooks import ROOT

from lossutils import datasets, training

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1:UserWarning")

EPOCHS, ROWS, HIDDEN, DECAY = 20, 80, 8, 0.1
PROBLEM_OF = {"numbers": "curve", "counts": "counts", "two": "circles", "many": "blobs"}

# They divide by outputs that pass through zero, where two programs that differ in the last digit
# part within a few steps. Small steps do not get there in 20 epochs.
DIVIDING = {
    (loss, "linear")
    for loss in (
        *("binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy"),
        *("sparse_categorical_crossentropy", "categorical_focal_crossentropy", "kl_divergence"),
    )
}


def train_in_scripts(cases, data, tmp_path):
    """Return last weights and loss of each case, computed by the scripts of the page."""
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"data": data, "cases": cases, "epochs": EPOCHS}))
    program = ROOT / "tests" / "playground" / "parity.mjs"
    run = subprocess.run(
        [playground_assets.NODE, program, path], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout)


def parameters_of(loss):
    """Return parameters that are no defaults, and differ where a loss has two."""
    values = playground.defaults(loss)
    for slider, far in zip(playground.LOSSES[loss].sliders, (2, 7), strict=False):
        values[slider.name] = round(slider.low + far * slider.step, 4)
    return values


def flat(model):
    return np.concatenate([weights.ravel() for weights in model.get_weights()])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("kind", playground.KINDS)
def test_weights_equal_those_of_fit(kind, optimizer, tmp_path):
    problem = PROBLEM_OF[kind]
    x, y, x_test, y_test = (rows[:ROWS] for rows in getattr(playground_data, problem)(0))
    data = {problem: {"x": x.ravel().tolist(), "y": y.ravel().tolist(), "rows": len(x)}}
    cases, expected = [], []
    pairs = [
        (loss, output) for loss, outputs in playground.offered(kind).items() for output in outputs
    ]
    for loss, output in pairs:
        rate = 1e-4 if (loss, output) in DIVIDING else 0.01
        keras.utils.set_random_seed(1)
        model = playground.network(problem, loss, output, hidden=HIDDEN)
        built = playground.LOSSES[loss].build(output, **parameters_of(loss))
        made = {
            "sgd": keras.optimizers.SGD(rate, momentum=0.9, weight_decay=DECAY),
            "adam": keras.optimizers.Adam(rate, weight_decay=DECAY),
        }[optimizer]
        model.compile(made, built)
        cases.append(
            {
                "problem": problem,
                "loss": loss,
                "output": output,
                "optimizer": optimizer,
                "rate": rate,
                "decay": DECAY,
                "parameters": parameters_of(loss),
                "sizes": [x.shape[1], HIDDEN, model.output_shape[-1]],
                "weights": flat(model).tolist(),
            }
        )
        rows = datasets.Dataset(
            x_train=x,
            y_train=playground.targets(y, loss),
            x_test=x_test,
            y_test=playground.targets(y_test, loss),
        )
        history = training.fit(model, rows, epochs=EPOCHS, shuffle=False).history
        expected.append((flat(model), history["train_loss"][-1]))

    results = train_in_scripts(cases, data, tmp_path)
    for case, result, (weights, loss) in zip(cases, results, expected, strict=True):
        name = f"{case['loss']} on {case['output']}, {optimizer}"
        assert np.abs(weights - case["weights"]).max() > 1e-4, f"{name}: nothing was trained"
        np.testing.assert_allclose(result["weights"], weights, rtol=0, atol=1e-10, err_msg=name)
        # JSON has no NaN: the Poisson loss of a negative rate.
        got = np.nan if result["loss"] is None else result["loss"]
        np.testing.assert_allclose(got, loss, rtol=0, atol=1e-8, err_msg=name)
