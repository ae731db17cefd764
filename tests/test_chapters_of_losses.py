"""Each loss of Keras is trained with in some chapter, on a problem that it is meant for."""

import ast
import inspect

import keras
import notebooks
import pytest

CHAPTERS = {
    "BinaryCrossentropy": "binary/binary_cross_entropy",
    "BinaryFocalCrossentropy": "binary/class_imbalance",
    "CTC": "practice/sequences",
    "CategoricalCrossentropy": "multiclass/categorical_cross_entropy",
    "CategoricalFocalCrossentropy": "multiclass/many_classes_few_rows",
    "CategoricalGeneralizedCrossEntropy": "multiclass/wrong_labels",
    "CategoricalHinge": "multiclass/comparing",
    "Circle": "images/embeddings",
    "CosineSimilarity": "images/embeddings",
    "Dice": "images/segmentation",
    "Hinge": "binary/hinge",
    "Huber": "regression/huber",
    "KLDivergence": "multiclass/kl_divergence",
    "LogCosh": "foundations/one_run_is_an_anecdote",
    "MeanAbsoluteError": "regression/mean_absolute_error",
    "MeanAbsolutePercentageError": "regression/positive_amounts",
    "MeanSquaredError": "regression/mean_squared_error",
    "MeanSquaredLogarithmicError": "regression/mean_squared_logarithmic_error",
    "Poisson": "regression/counts",
    "SparseCategoricalCrossentropy": "multiclass/sparse_categorical_cross_entropy",
    "SquaredHinge": "binary/squared_hinge",
    "Tversky": "images/segmentation",
}


def public_losses():
    classes = vars(keras.losses).items()
    return {
        name
        for name, each in classes
        if inspect.isclass(each) and issubclass(each, keras.losses.Loss)
    } - {"Loss"}


def named_in(source):
    """Return the words and attributes of a program, without those that look up the catalogue."""
    tree = ast.parse(source)
    looked_up = {
        id(below)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and "CATALOGUE" in ast.unparse(node.value)
        for below in ast.walk(node)
    }
    nodes = [node for node in ast.walk(tree) if id(node) not in looked_up]
    words = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return words | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def test_the_list_is_of_all_losses_of_keras():
    assert set(CHAPTERS) == public_losses()


@pytest.mark.parametrize("name", CHAPTERS)
def test_its_chapter_trains_with_it(name):
    path = notebooks.ROOT / "book" / f"{CHAPTERS[name]}.ipynb"
    cells = [cell.source for cell in notebooks.read(path).cells if cell.cell_type == "code"]
    named = set().union(*map(named_in, cells))
    word = getattr(keras.losses, name)().name
    assert {name, word} & named, f"{path.name} does not name {name}"
    assert {"fit", "repeat"} & named, f"{path.name} trains nothing"
