"""Data and small networks that stand in for those of public programs."""

import keras
import numpy as np
from keras import layers


def seq(shape, *stack):
    return keras.Sequential([keras.Input(shape=shape), *stack])


def rng(seed):
    return np.random.default_rng(seed)


def eye(labels, k):
    return np.eye(k, dtype="float32")[np.asarray(labels, int)]


def scale(a):
    a = np.asarray(a, "float64")
    s = a.std(axis=0)
    return (a - a.mean(axis=0)) / np.where(s == 0, 1, s)


def pictures(n, size, k, channels=3, seed=0, black=False):
    """uint8 pictures of k kinds: a bright disc whose place and color tell the kind."""
    r = rng(seed)
    lab = r.integers(0, k, n)
    place = rng(1234).uniform(0.25, 0.75, (k, 2)) * size
    tint = rng(4321).uniform(80, 240, (k, channels))
    yy, xx = np.mgrid[:size, :size]
    out = np.zeros((n, size, size, channels))
    for i, c in enumerate(lab):
        cy, cx = place[c] + r.normal(0, size / 20, 2)
        disc = np.exp(-((yy - cy) ** 2 + (xx - cx) ** 2) / (size / 5) ** 2)
        out[i] = disc[..., None] * tint[c]
    out += 0 if black else r.normal(60, 15, out.shape)
    return np.clip(out, 0, 255).astype("uint8"), lab.astype("int64")


def blobs_with_masks(n, size, seed=0, share=0.15):
    """Grey pictures in [0, 1] with a bright square, and the 0/1 mask of the square."""
    r = rng(seed)
    x = r.normal(0.3, 0.05, (n, size, size, 1))
    m = np.zeros((n, size, size, 1))
    side = max(2, round(size * share**0.5))
    for i in range(n):
        a, b = r.integers(0, size - side, 2)
        m[i, a : a + side, b : b + side] = 1
    return np.clip(x + 0.4 * m, 0, 1).astype("float32"), m.astype("float32")


def tiny_unet(size, out, last, dropout=None):
    i = keras.Input((size, size, 1))
    a = layers.Conv2D(8, 3, padding="same", activation="relu")(i)
    b = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D()(a))
    u = layers.Concatenate()([layers.UpSampling2D()(b), a])
    u = layers.Conv2D(8, 3, padding="same", activation="relu")(u)
    if dropout:
        u = layers.Dropout(dropout)(u)
    return keras.Model(i, layers.Conv2D(out, 1, activation=last)(u))


def sentences(n, longest, vocab, k, seed, short=8, side="post"):
    """Word numbers from 1, filled up with 0; the class shows in marker words."""
    r = rng(seed)
    lab = r.integers(0, k, n)
    mark = rng(77).choice(np.arange(1, vocab), (k, 8), replace=False)
    x = np.zeros((n, longest), "int64")
    for i in range(n):
        m = r.integers(short // 2, short + 1)
        w = r.integers(1, vocab, m)
        w[r.choice(m, max(1, m // 2), replace=False)] = r.choice(mark[lab[i]], max(1, m // 2))
        if side == "post":
            x[i, :m] = w
        else:
            x[i, -m:] = w
    return x, lab
