"""Each private part of Keras and TensorFlow that lossutils uses, and how a missing one is said.

A test here that fails under a new version names the part that it took away.
"""

import ast
import random
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import lossutils
from lossutils import _internals


@pytest.fixture
def model():
    inputs = keras.Input((2,))
    hidden = keras.layers.Dense(3)(keras.layers.Masking()(inputs))
    model = keras.Model(inputs, {"y": keras.layers.Dropout(0.5)(hidden)})
    model.compile("sgd", "mse", loss_weights=[0.5], metrics=["mae"], weighted_metrics=["mse"])
    return model


def test_only_one_module_imports_private_parts():
    for path in Path(lossutils.__file__).parent.rglob("*.py"):
        if path.name == "_internals.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not any(n.startswith(("keras.src", "tensorflow.python")) for n in names), path


def test_what_a_model_was_compiled_with(model):
    assert _internals.loss_weights_of(model) == [0.5]
    assert _internals.metrics_of(model) == (["mae"], ["mse"])
    uncompiled = keras.Sequential()
    uncompiled.compile("sgd", "mse")
    assert _internals.metrics_of(uncompiled) == ([], [])


def test_losses_and_metrics_are_resolved_as_compile_does():
    y = tf.zeros((4, 1))
    loss = _internals.get_loss("mse", y, y)
    assert type(loss) is _internals.LossFunctionWrapper
    assert loss.fn is keras.losses.MeanSquaredError().fn
    metrics = _internals.CompileMetrics(["accuracy", keras.losses.mean_absolute_error], ["mse"])
    metrics.build(y, y)
    groups = _internals.metric_groups_of(metrics)
    (accuracy, absolute), (square,) = (group.metrics for group in groups)
    assert type(accuracy) is keras.metrics.BinaryAccuracy
    assert _internals.metric_function_of(absolute) == (keras.losses.mean_absolute_error, {})
    assert _internals.direction_of(accuracy) == "up"
    assert _internals.direction_of(square) == "down"


def test_layers_and_what_they_hold(model):
    layers = _internals.layers_of(model, include_self=False)
    assert layers == model.layers
    assert _internals.layers_of(model)[0] is model
    assert [len(_internals.seed_generators_of(layer)) for layer in layers][-1] == 1
    layers[0].track = keras.metrics.Mean()
    assert _internals.metrics_of_layer(layers[0]) == [layers[0].track]
    assert _internals.tracker_of(layers[0]) is not None
    assert _internals.call_takes_training(model)
    assert isinstance(model, _internals.Functional)


def test_what_made_a_tensor_and_its_mask(model):
    assert list(_internals.outputs_structure_of(model)) == ["y"]
    history = _internals.keras_history(model.outputs[0])
    assert history.operation is model.layers[-1]
    (before,) = _internals.inputs_of_node(history.operation, history.node_index)
    assert _internals.keras_history(before).operation is model.layers[-2]
    masked = keras.layers.Masking()(np.zeros((2, 3, 1)))
    assert _internals.keras_mask(masked).shape == (2, 3)
    assert _internals.keras_mask(tf.zeros(2)) is None


def test_arguments_of_calls_have_names():
    steps, attention = keras.Input((3, 4)), keras.layers.MultiHeadAttention(1, 2)
    made = attention(steps, value=steps, use_causal_mask=True)
    attention(made, steps)
    first, second = _internals.call_arguments_of(attention)
    assert first["use_causal_mask"]
    assert first["query"] is first["value"] is steps
    assert second["query"] is made
    assert "use_causal_mask" not in second


def test_a_learning_rate_can_be_read_from_elsewhere():
    optimizer = keras.optimizers.SGD(0.25)
    kept = _internals.learning_rate_of(optimizer)
    with _internals.learning_rate_replaced(optimizer, tf.constant(0.5)):
        assert float(optimizer.learning_rate) == 0.5
    assert _internals.learning_rate_of(optimizer) is kept


def test_a_graph_runs_on_other_variables():
    first, second = tf.Variable(1.0), tf.Variable(5.0)
    graph = tf.function(lambda x: x * first).get_concrete_function(tf.constant(2.0))
    assert [t is first.handle for t in _internals.captured_in_order(graph)] == [True]
    assert float(_internals.run_graph(graph, [tf.constant(2.0)], [second.handle])) == 10.0


def test_seeds_are_set_for_a_time():
    keras.utils.set_random_seed(5)
    float(keras.random.uniform(()))
    expected = float(tf.random.uniform(())), float(keras.random.uniform(()))

    def drawn():
        random.seed(7)  # Keras's own generator takes its seed from there
        with _internals.seeded(7):
            assert keras.layers.Dense(1).name == "dense"
            return float(keras.random.uniform(()))

    keras.utils.set_random_seed(5)
    float(keras.random.uniform(()))
    position = _internals.keras_state()["global_seed_generator"].state.numpy().tolist()
    assert drawn() == drawn()
    assert _internals.keras_state()["global_seed_generator"].state.numpy().tolist() == position
    with _internals.tensorflow_seed_kept():
        tf.random.set_seed(0)
    assert (float(tf.random.uniform(())), float(keras.random.uniform(()))) == expected


def test_generators_are_put_back_wherever_they_are_kept():
    generator, idle = keras.random.SeedGenerator(1), keras.random.SeedGenerator(2)
    first = float(keras.random.uniform((), seed=generator))
    with _internals.generators_put_back() as drawn:
        for _ in range(2):
            second = float(keras.random.uniform((), seed=generator))
    assert list(drawn) == [id(generator.state)]
    assert idle.state.numpy().tolist() == [2, 0]
    assert len({first, second, float(keras.random.uniform((), seed=generator))}) == 3
    keras.random.uniform((), seed=generator)
    assert generator.state.numpy().tolist() == [1, 3]


def test_what_fit_was_called_with():
    """Positional or named, with a split or without, in the wrapper that Keras 3 has."""
    seen = []

    class Look(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append(_internals.arguments_of_fit(self.model))

    net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    net.compile("sgd", "mse")
    x, y = np.zeros((8, 2)), np.zeros((8, 1))
    net.fit(x, y, 4, verbose=0, validation_split=0.5, class_weight={0: 1.0}, callbacks=[Look()])
    assert seen[0]["x"] is x
    assert seen[0]["y"] is y
    assert seen[0]["batch_size"] == 4
    assert seen[0]["class_weight"] == {0: 1.0}
    assert seen[0]["validation_split"] == 0.5
    assert seen[0]["validation_data"] is None
    assert _internals.arguments_of_fit(net) is None


def test_a_part_that_a_version_took_away_is_named(model):
    with pytest.raises(RuntimeError, match=r"lossutils uses Input\w+\._gone.*Known to work: Keras"):
        _internals._part(model.layers[0], "_gone")


def test_an_import_that_a_version_took_away_is_named():
    """In a process of its own, since the module is imported here already."""
    code = """
        import sys
        import keras.src.trainers.compile_utils as module
        del module.get_loss
        try:
            import lossutils.training
        except ImportError as error:
            print(error)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Known to work: Keras 3.13 to 3.15 with TensorFlow 2.20 or 2.21" in result.stdout


def test_arguments_of_a_loss():
    assert _internals.loss_arguments_of(keras.losses.Huber(delta=5.0)) == {"delta": 5.0}
    assert _internals.loss_arguments_of(keras.losses.CTC()) == {}
