"""Conclusions of the newer chapters, from their own functions, on draws that they do not print."""

import ast
import functools

import notebooks
import numpy as np
import pytest
from test_claims import SEEDS, assert_positive, by_seed


@functools.cache
def functions_of(chapter):
    """Return what a chapter imports and defines, and its constants, without its trainings."""
    path = notebooks.ROOT / "book" / f"{chapter}.ipynb"
    cells = [
        cell
        for cell in notebooks.read(path).cells
        if cell.cell_type == "code" and "hide-cell" not in notebooks.tags(cell)
    ]
    nodes = [node for cell in cells for node in ast.parse(cell.source).body]
    kept = [node for node in nodes if _defines(node)]
    while missing := [node for node in nodes if node not in kept and _needed(node, kept)]:
        kept = [node for node in nodes if node in kept or node in missing]
    names = {}
    exec(compile(ast.Module(kept, []), str(path), "exec"), names)
    return names


def _defines(node):
    if isinstance(node, ast.Assign):
        of_results = "runs" in _names([node.value], ast.Load)
        assigned = _names(node.targets, ast.Store)
        return not of_results and bool(assigned) and all(each.isupper() for each in assigned)
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    return isinstance(node, kinds)


def _needed(node, kept):
    """Tell whether a node assigns what the constants among those kept are computed from."""
    if not isinstance(node, ast.Assign):
        return False
    assigned = [each.value for each in kept if isinstance(each, ast.Assign)]
    read = [_names([value], ast.Load) - _names([value], ast.Store) for value in assigned]
    return bool(set().union(*read) & _names(node.targets, ast.Store))


def _names(nodes, use):
    below = [each for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name)]
    return {each.id for each in below if isinstance(each.ctx, use)}


def test_under_gamma_noise_the_lognormal_correction_plans_more_than_the_gamma_deviance():
    of = functions_of("regression/positive_amounts")
    runs = of["train"](of["claims"], ["Gamma deviance", "Log-normal"], seeds=SEEDS)
    total = {name: by_seed(of["judged"](run, of["claims"]), "total") for name, run in runs.items()}
    assert_positive(total["Log-normal"] - total["Gamma deviance"], "log-normal plans too much")
    assert abs(np.mean(total["Gamma deviance"]) - 1) < 0.1


def test_a_shift_of_the_logits_finds_more_of_the_tail():
    of = functions_of("multiclass/many_classes_few_rows")
    loss = of["LOSSES"]["cross-entropy"]
    run = of["training"].repeat(of["build"](loss), of["draw"], **of["SETTINGS"] | {"seeds": SEEDS})
    recall = {
        way: by_seed(of["part"](run, way), "test_macro_recall") for way in ("plain", "shifted")
    }
    assert_positive(recall["shifted"] - recall["plain"], "macro recall by a shift")


def test_ctc_needs_no_alignment_and_a_guessed_one_misleads():
    of = functions_of("practice/sequences")
    rate = {
        name: by_seed(
            of["training"].repeat(
                of["reader"](loss), rows, **of["SETTINGS"] | {"seeds": SEEDS, "epochs": 20}
            ),
            "test_label_error_rate",
        )
        for name, (loss, rows) in of["WAYS"].items()
    }
    assert_positive(rate["even guess"] - rate["CTC"], "an even guess, less CTC")
    assert np.mean(rate["CTC"] - rate["told"]) < np.mean(rate["even guess"] - rate["CTC"])


def test_zero_padding_without_a_mask_costs_accuracy_on_real_steps():
    of = functions_of("practice/sequences")
    # The longer and wider training of the chapter. In the short one each draw chooses its rate on a
    # fifth of its rows, and in 3 of these 20 that choice costs more than the padding.
    settings = {"hidden": 64, "epochs": 60, "learning_rates": [0.3], "choose_by": None}
    runs = of["labeled"](["mask", "no mask"], seeds=SEEDS, **settings)
    accuracy = {name: by_seed(run, "test_accuracy_by_step") for name, run in runs.items()}
    assert_positive(accuracy["mask"] - accuracy["no mask"], "accuracy by a mask")


def test_dice_of_each_image_alarms_on_empty_images():
    of = functions_of("images/segmentation")
    of["SEEDS"] = SEEDS
    losses = {"cross-entropy": "binary_crossentropy", "Dice": of["LOSSES"]["Dice, image"]}
    alarms = {
        name: by_seed(of["repeated"](loss), "test_false_alarms") for name, loss in losses.items()
    }
    assert_positive(alarms["Dice"] - alarms["cross-entropy"], "false alarms of Dice an image")


@pytest.mark.parametrize("name", ["contrastive", "InfoNCE"])
def test_pairs_search_unseen_digits_better_than_a_classifier(name):
    of = functions_of("images/embeddings")
    seeds = range(20, 40)  # from 100 on, a seed of this chapter means fewer digits
    recall = {
        loss: by_seed(
            of["tried"](of["LOSSES"][loss], rates=[0.01], seeds=seeds, **network), "test_recall"
        )
        for loss, network in {name: {}, "classifier": {"output": "classifier"}}.items()
    }
    assert_positive(recall[name] - recall["classifier"], f"recall of {name}, less the classifier")


def test_only_the_matrix_helps_where_labels_go_wrong_one_way():
    of = functions_of("multiclass/wrong_labels")
    accuracy = {
        title: by_seed(
            of["repeated"](of["losses_for"]("one way")[title], "one way", [rate], seeds=SEEDS),
            "test_accuracy",
        )
        for title, rate in {"Cross-entropy": 0.003, "Forward correction": 0.01}.items()
    }
    assert_positive(
        accuracy["Forward correction"] - accuracy["Cross-entropy"], "accuracy by the correction"
    )
