"""Measure trainings with lossutils, Keras, scikit-learn, PyTorch and JAX, side by side in one run.

    make benchmark

Rounds alternate between the contestants, so that what else the machine does falls on all alike;
the tables have medians, and ratios of medians. It prints the tables as it goes, and writes them to
benchmarks/results.md and the figure to book/assets/speed.png, which README.md and the chapter on
published figures show.
"""

import argparse
import dataclasses
import multiprocessing
import os
import platform
import resource
import statistics
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import matplotlib
import matplotlib.pyplot as plt
from contestants import contestants, jax_compiled, on, problems
from sklearn.exceptions import ConvergenceWarning

import lossutils
from lossutils import datasets, plotting
from lossutils.training import _repetition

HERE = Path(__file__).resolve().parent
FIGURE = HERE.parent / "book" / "assets" / "speed.png"
SEEDS = 100
SEEDS_OF_DIGITS = 10

# Contestants whose second seed costs far less than the first get all seeds at once.
COMPILED = ("training.repeat", "JAX, scan")

COLORS = {
    "model.fit": "#c04a06",
    "training.fit": "#3595db",
    "training.repeat": "#0b57a4",
    "scikit-learn": "#c48600",
    "PyTorch, plain loop": "#d6489f",
    "JAX, scan": "#0a8270",
}


def seconds_once_compiled(train, *arguments):
    """Run once and return how long it took."""
    start = time.perf_counter()
    train(*arguments)
    return time.perf_counter() - start


def seconds(train, *arguments):
    """Run once, compiling included, and return how long it took."""
    _repetition._programs.clear()  # or only the first round would compile
    return seconds_once_compiled(train, *arguments)


def medians(tasks, rounds, measure=seconds):
    """Run every task in every round; return the median seconds of each by name."""
    taken = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            taken[name].append(measure(*task))
    return {name: statistics.median(values) for name, values in taken.items()}


def one_training(rounds):
    """Time one training from scratch, and each of a hundred, on every problem."""
    lines = [
        "| Problem | | one training (s) | `model.fit` takes | one of 100 seeds, digits 10 (s) | "
        "`model.fit` takes |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for title, problem in problems().items():
        available = contestants()
        single = medians({name: (run, problem, [0]) for name, run in available.items()}, rounds)
        # The others cost the same every time.
        number = SEEDS_OF_DIGITS if title == "digits" else SEEDS
        compiled = COMPILED & available.keys()
        many = {name: (available[name], problem, range(number)) for name in compiled}
        each = {name: total / number for name, total in medians(many, rounds).items()}
        for name, once in single.items():
            per_seed = each.get(name, once)
            lines.append(
                f"| {title} | {name} | {once:.3g} | {single['model.fit'] / once:.3g} × | "
                f"{per_seed:.3g} | {single['model.fit'] / per_seed:.3g} × |"
            )
            print(lines[-1], flush=True)
    return lines


def threads_and_jax(rounds):
    """Time `repeat` with one thread, with two, and against JAX, all of them compiled already."""
    problem = problems()["circles"]
    seeds = range(SEEDS)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(2) as two:
        tasks = {
            "one thread": (on(one), problem, seeds),
            "two threads": (on(two), problem, seeds),
        }
        if "JAX, scan" in contestants():
            again = jax_compiled(problem)
            tasks["JAX, scan"] = (lambda: [again(seed) for seed in seeds],)
        for task in tasks.values():
            task[0](*task[1:])  # compiles
        taken = medians(tasks, rounds, seconds_once_compiled)
    lines = ["| Circles, 100 seeds, compiled before | seconds | JAX takes |", "|---|--:|--:|"]
    for name, value in taken.items():
        ratio = f"{taken['JAX, scan'] / value:.2f} ×" if "JAX, scan" in taken else ""
        lines.append(f"| {name} | {value:.2f} | {ratio} |")
    lines += [
        "",
        f"Two threads are {taken['one thread'] / taken['two threads']:.2f} times as fast.",
    ]
    print(*lines, sep="\n", flush=True)
    return lines


def growth():
    """Time how each contestant's time grows with seeds, epochs, rows and hidden units."""
    circles = problems()["circles"]
    short = dataclasses.replace(circles, epochs=20)

    def with_rows(n):
        return dataclasses.replace(short, data=datasets.circles(n_samples=2 * n))

    axes = {
        "seeds": ([1, 10, 100, 1000], lambda n: (circles, range(n))),
        "epochs": ([1, 10, 100, 1000], lambda n: (dataclasses.replace(circles, epochs=n), [0])),
        "training rows (20 epochs)": ([100, 1000, 10_000], lambda n: (with_rows(n), [0])),
        "hidden units (20 epochs)": (
            [10, 100, 1000, 10_000],
            lambda n: (dataclasses.replace(short, hidden=n), [0]),
        ),
    }
    measured = {}
    for axis, (sizes, arguments) in axes.items():
        for name, run in contestants().items():
            for size in sizes:
                if axis == "seeds" and size > 1 and name not in COMPILED:
                    continue  # a multiple of the first
                if name == "model.fit" and size * {"epochs": 0.1}.get(axis, 0.002) > 25:
                    continue  # minutes
                measured[axis, name, size] = seconds(run, *arguments(size))
                print(f"{axis} {size}: {name} {measured[axis, name, size]:.2f} s", flush=True)
    return measured


def draw(measured):
    """Draw the growth as four panels; store the figure."""
    titles = list(dict.fromkeys(axis for axis, _, _ in measured))
    with plotting.style():
        figure, panels = plt.subplots(2, 2, figsize=(7.2, 6.0), layout="constrained")
        for panel, axis in zip(panels.flat, titles, strict=True):
            for name, color in COLORS.items():
                line = {s: t for (a, n, s), t in measured.items() if (a, n) == (axis, name)}
                if axis == "seeds" and name not in COMPILED and line:
                    line = {size: size * line[1] for size in (1, 1000)}
                    panel.plot(list(line), list(line.values()), "--", color=color, label=name)
                elif line:
                    panel.plot(list(line), list(line.values()), "o-", color=color, label=name)
            panel.set(xscale="log", yscale="log", xlabel=axis, ylabel="seconds")
        handles, labels = panels[1, 1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
        figure.savefig(FIGURE, dpi=150)
        plt.close(figure)


def memory():
    """Measure the memory that a process with one contestant takes at most."""
    lines = ["| Circles | 1 seed (MB) | 100 seeds (MB) |", "|---|--:|--:|"]
    context = multiprocessing.get_context("spawn")
    for name in contestants():
        peaks = []
        for number in (1, SEEDS if name in COMPILED else 3):
            with context.Pool(1) as pool:
                peaks.append(pool.apply(peak, (name, number)))
        note = "" if name in COMPILED else " (3 seeds)"
        lines.append(f"| {name} | {peaks[0]:.0f} | {peaks[1]:.0f}{note} |")
        print(lines[-1], flush=True)
    return lines


def peak(name, number):
    """Train in this process, and return the most memory that it took, in MB."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    contestants()[name](problems()["circles"], range(number))
    status = Path("/proc/self/status")
    if status.exists():  # on Linux, the other figure begins with what the parent took
        line = next(li for li in status.read_text().splitlines() if li.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1024**2 if platform.system() == "Darwin" else 1024)


def main():
    """Measure all, and write the tables and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds to take the median of")
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore", ConvergenceWarning)
    for run in contestants().values():  # imports and first-time set-up are nobody's
        run(dataclasses.replace(problems()["circles"], epochs=1), [0])
    parts = [
        f"lossutils {lossutils.__version__}, Keras {keras.__version__}, Matplotlib "
        f"{matplotlib.__version__}, {os.cpu_count()} cores, {platform.machine()}",
        "One hidden layer, SGD with momentum, batches of 32, all training and test rows measured "
        "after each epoch. `model.fit` measures the training rows while it trains, and "
        "scikit-learn no test rows, so both do less than the others.",
        "\n".join(one_training(rounds)),
        "\n".join(threads_and_jax(rounds)),
        "\n".join(memory()),
    ]
    draw(growth())
    (HERE / "results.md").write_text("\n\n".join(["# Speed, measured", *parts]) + "\n")
    print(f"written: benchmarks/results.md, {FIGURE.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
