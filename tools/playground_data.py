"""The problems of the playground, drawn as its scripts draw them, digit for digit.

The button that copies a training as Keras code copies the functions of this module, too. So they
need nothing but NumPy. No training set is a multiple of 32 rows: a point that a reader adds would
become a batch of its own, and count as much as 32 others.
"""

import numpy as np


def uniform(seed, size):
    """Return the playground's random numbers from 0 to 1 (mulberry32)."""
    count = np.arange(1, size + 1, dtype=np.uint32)
    a = np.uint32(seed) + count * np.uint32(0x6D2B79F5)
    t = (a ^ (a >> 15)) * (a | 1)
    t = (t + (t ^ (t >> 7)) * (t | 61)) ^ t
    return (t ^ (t >> 14)) / 2**32


def normal(seed, size):
    """Return standard normal numbers, by the method of Box and Muller."""
    radius = np.sqrt(-2 * np.log(1 - uniform(seed, size)))
    return radius * np.cos(2 * np.pi * uniform(seed + 1, size))


def curve(draw):
    """Draw a curve with noise; the test targets are the curve itself."""
    seed = 1000 * draw + 100
    x = 6 * uniform(seed, 150).reshape(-1, 1) - 3
    y = 1.2 * np.sin(1.5 * x) + 0.25 * normal(seed + 1, 150).reshape(-1, 1)
    x_test = np.linspace(-3, 3, 121).reshape(-1, 1)
    return x, y, x_test, 1.2 * np.sin(1.5 * x_test)


def counts(draw):
    """Draw counts around a mean that grows; the test targets are the mean."""
    seed = 1000 * draw + 200
    x = 6 * uniform(seed, 208).reshape(-1, 1) - 3
    mean = np.exp(0.6 + 0.5 * x)
    ratios = np.hstack([np.ones_like(mean), mean / np.arange(1, 40)])
    below = np.cumsum(np.exp(-mean) * np.cumprod(ratios, axis=1), axis=1)
    y = (uniform(seed + 1, 208).reshape(-1, 1) > below).sum(axis=1, keepdims=True).astype(float)
    x_test = np.linspace(-3, 3, 121).reshape(-1, 1)
    return x, y, x_test, np.exp(0.6 + 0.5 * x_test)


def circles(draw):
    """Draw two circles, blurred; the inner one is class 1."""

    def points(seed, size):
        y = np.arange(size) % 2
        angle = 2 * np.pi * uniform(seed, size)
        radius = np.where(y == 1, 0.8, 1.0)
        x = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
        x += 0.1 * np.column_stack([normal(seed + 1, size), normal(seed + 3, size)])
        return x, y.reshape(-1, 1).astype(float)

    return *points(1000 * draw + 300, 500), *points(1000 * draw + 320, 500)


def blobs(draw):
    """Draw three overlapping clusters; targets are one-hot."""

    def points(seed, size):
        label = np.arange(size) % 3
        centers = np.array([[-2.5, -1.5], [2.5, -1.5], [0.0, 2.5]])
        x = centers[label] + 1.8 * np.column_stack([normal(seed, size), normal(seed + 2, size)])
        return x, np.eye(3)[label]

    return *points(1000 * draw + 400, 300), *points(1000 * draw + 420, 600)


def rare(draw):
    """Draw a cloud of class 0, and within it a smaller one of class 1: one row in sixteen."""

    def points(seed, size):
        y = (np.arange(size) % 16 == 0).astype(float).reshape(-1, 1)
        noise = np.column_stack([normal(seed, size), normal(seed + 2, size)])
        return np.where(y == 1, 1.5 + 0.7 * noise, noise), y

    return *points(1000 * draw + 500, 656), *points(1000 * draw + 520, 1280)


def own_numbers(draw):
    """Return a few points to drag; all that is measured is measured on them."""
    x = np.linspace(-2.5, 2.5, 11).reshape(-1, 1)
    y = 0.5 * x + 0.5
    return x, y, x, y


def own_labels(draw):
    """Return a few points of two classes to drag; all is measured on them."""
    x = np.array(
        [
            *([-2.0, -1.0], [-1.5, 0.5], [-1.0, -0.5], [-0.5, 1.0], [-0.5, -1.5], [-2.0, 1.0]),
            *([0.5, -0.5], [1.0, 0.5], [1.5, -1.0], [1.5, 1.0], [2.0, 0.0], [0.5, 1.5]),
        ]
    )
    y = np.repeat([0.0, 1.0], 6).reshape(-1, 1)
    return x, y, x, y


def wrong_rows(size, percent, draw):
    """Return the rows whose target is wrong; a larger share keeps those of a smaller one."""
    chosen = np.argsort(uniform(1000 * draw + 900, size), kind="stable")
    return chosen[: int(percent / 100 * size + 0.5)]


def next_class(draw, size, classes):
    """Return how many classes further a wrong label is."""
    return 1 + (uniform(1000 * draw + 901, size) * (classes - 1)).astype(int)
