"""Set-ups for the rules on learning rates; see test_checks_rules.py."""

from check_cases_training import (
    SPARSE,
    chain,
    decaying,
    images_scaled,
    many,
    relus,
    schedule,
    three_classes,
)
from check_setups import (
    BINARY,
    IMAGES,
    LABELS,
    NUMBERS,
    X,
    check,
    compiled,
    convolutional,
    functional,
    sequential,
    unbuilt,
)
from keras import layers, optimizers

WRONG = {
    "learning-rate": {
        "gradients cut to nothing": lambda: check(
            compiled(sequential(1), "mse", optimizer=optimizers.SGD(0.01, clipnorm=1e-5)),
            X,
            NUMBERS,
        ),
        "each number of a gradient cut to nothing": lambda: check(
            compiled(
                functional(1, "sigmoid"), "bce", optimizer=optimizers.SGD(0.01, clipvalue=1e-6)
            ),
            X,
            BINARY,
        ),
        "gradients cut to nothing, with momentum": lambda: check(
            compiled(
                unbuilt(1),
                "mse",
                optimizer=optimizers.SGD(0.001, momentum=0.9, global_clipnorm=1e-4),
            ),
            X,
            NUMBERS,
        ),
        "weights that decay at once": lambda: check(
            compiled(sequential(1), "mse", optimizer=optimizers.AdamW(0.1, weight_decay=10.0)),
            X,
            NUMBERS,
        ),
        "weights that decay in some steps": lambda: check(
            compiled(functional(1), "mse", optimizer=optimizers.SGD(0.1, weight_decay=5.0)),
            X,
            NUMBERS,
        ),
        "weights that decay to a hundredth": lambda: check(
            compiled(unbuilt(1), "mse", optimizer=optimizers.Adam(5e-4, weight_decay=1000.0)),
            X,
            NUMBERS,
        ),
        "a schedule of hardly anything": lambda: check(
            compiled(
                sequential(1),
                "mse",
                optimizer=optimizers.Adam(optimizers.schedules.CosineDecay(1e-9, 3000)),
            ),
            X,
            NUMBERS,
        ),
        "decays at once": lambda: check(
            compiled(sequential(1), "mse", optimizer=optimizers.SGD(decaying(decay_steps=1))),
            *many(NUMBERS),
        ),
        "decays with the inverse of time": lambda: check(
            compiled(
                functional(1),
                "mse",
                optimizer=optimizers.Adam(
                    optimizers.schedules.InverseTimeDecay(0.01, decay_steps=0.05, decay_rate=1.0)
                ),
            ),
            *many(NUMBERS),
        ),
        "ends within the first epoch": lambda: check(
            compiled(unbuilt(1, "sigmoid"), "bce", optimizer=optimizers.Adam(schedule(20))),
            *many(BINARY),
        ),
        "ends within the first epoch, after warming up": lambda: check(
            compiled(
                functional(1, "sigmoid"),
                "bce",
                optimizer=optimizers.AdamW(
                    optimizers.schedules.CosineDecay(0.0, 10, warmup_target=0.01, warmup_steps=5)
                ),
            ),
            *many(BINARY),
        ),
        "falls in a line within the first epoch": lambda: check(
            compiled(
                sequential(1),
                "mse",
                optimizer=optimizers.SGD(optimizers.schedules.PolynomialDecay(0.1, 20, 1e-6)),
            ),
            *many(NUMBERS),
        ),
        "a tenth, through four layers": lambda: check(
            compiled(chain(*relus(4)), "mse", optimizer=optimizers.Adam(0.1)), X, NUMBERS
        ),
        "a half, through three": lambda: check(
            compiled(
                chain(*relus(3), last=three_classes()), SPARSE, optimizer=optimizers.Adam(0.5)
            ),
            X,
            LABELS,
        ),
        "a half, through convolutions": lambda: check(
            compiled(
                images_scaled(layers.Conv2D(4, 3, activation="relu"), *relus(1)),
                SPARSE,
                optimizer=optimizers.RMSprop(0.5),
            ),
            IMAGES,
            LABELS,
        ),
        "Adam": lambda: check(
            compiled(sequential(1), "mse", optimizer=optimizers.Adam(1.0)), X, NUMBERS
        ),
        "SGD": lambda: check(
            compiled(functional(1, "sigmoid"), "bce", optimizer=optimizers.SGD(100.0)), X, BINARY
        ),
        "zero": lambda: check(
            compiled(unbuilt(1), "mse", optimizer=optimizers.SGD(0.0)), X, NUMBERS
        ),
        "RMSprop": lambda: check(
            compiled(
                convolutional(3, "softmax"),
                "sparse_categorical_crossentropy",
                optimizer=optimizers.RMSprop(10.0),
            ),
            IMAGES,
            LABELS,
        ),
    },
}

NEAR = {
    "learning-rate": {
        "gradients that are cut": lambda: check(
            compiled(sequential(1), "mse", optimizer=optimizers.SGD(0.01, clipnorm=1.0)),
            X,
            NUMBERS,
        ),
        "gradients of Adam that are cut to little": lambda: check(
            compiled(sequential(1), "mse", optimizer=optimizers.Adam(0.001, clipvalue=1e-5)),
            X,
            NUMBERS,
        ),
        "weights that decay": lambda: check(
            compiled(sequential(1), "mse", optimizer=optimizers.AdamW(0.003, weight_decay=0.3)),
            X,
            NUMBERS,
        ),
        "a schedule that warms up from nothing": lambda: check(
            compiled(
                sequential(1),
                "mse",
                optimizer=optimizers.Adam(
                    optimizers.schedules.CosineDecay(
                        0.0, 9000, warmup_target=0.01, warmup_steps=1000
                    )
                ),
            ),
            X,
            NUMBERS,
        ),
        "decays in the course of epochs": lambda: check(
            compiled(sequential(1), "mse", optimizer=optimizers.SGD(decaying(decay_steps=100))),
            *many(NUMBERS),
        ),
        "decays in steps of whole epochs of few rows": lambda: check(
            compiled(sequential(1), "mse", optimizer=optimizers.SGD(decaying(decay_steps=1))),
            X,
            NUMBERS,
        ),
        "ends after some epochs": lambda: check(
            compiled(sequential(1), "mse", optimizer=optimizers.SGD(schedule(400))),
            *many(NUMBERS),
        ),
        "ends at a tenth": lambda: check(
            compiled(
                sequential(1),
                "mse",
                optimizer=optimizers.SGD(optimizers.schedules.CosineDecay(0.1, 20, alpha=0.1)),
            ),
            *many(NUMBERS),
        ),
        "a tenth, through two layers": lambda: check(
            compiled(chain(*relus(2)), "mse", optimizer=optimizers.Adam(0.1)), X, NUMBERS
        ),
        "a tenth, normalized": lambda: check(
            compiled(
                chain(*relus(4), layers.LayerNormalization()),
                "mse",
                optimizer=optimizers.Adam(0.1),
            ),
            X,
            NUMBERS,
        ),
        "a tenth of SGD": lambda: check(
            compiled(chain(*relus(4)), "mse", optimizer=optimizers.SGD(0.1)), X, NUMBERS
        ),
        "usual": lambda: check(
            compiled(sequential(1), "mse", optimizer=optimizers.Adam(1e-3)), X, NUMBERS
        ),
        "schedule": lambda: check(
            compiled(sequential(1), "mse", optimizer=optimizers.SGD(schedule())), X, NUMBERS
        ),
        "large for SGD, on purpose": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce", optimizer=optimizers.SGD(1.0)), X, BINARY
        ),
        "the usual 1 of Adadelta": lambda: check(
            compiled(sequential(1), "mse", optimizer=optimizers.Adadelta(1.0)), X, NUMBERS
        ),
    },
}
