"""Set-ups for the rules on sequences; see test_checks_rules.py."""

import keras
import numpy as np
from check_setups import BINARY, NUMBERS, ROWS, SERIES, check, compiled
from keras import layers, losses

WORDS, STEPS, LENGTH = 50, 60, 12

_rng = np.random.default_rng(1)
FULL = _rng.integers(1, WORDS, (ROWS, STEPS))
LENGTHS = _rng.integers(4, LENGTH, ROWS)
FILLED = np.where(np.arange(STEPS) < LENGTHS[:, None], FULL, 0)
IN_FRONT = FILLED[:, ::-1]
TAGS = np.where(FILLED > 0, 1 + FULL % 3, 0)
ONE_HOT_TAGS = np.eye(4)[TAGS]
SENSORS = _rng.normal(size=(ROWS, STEPS, 3)) * (np.arange(STEPS) < LENGTHS[:, None])[..., None]
LONG = _rng.normal(size=(ROWS, 1200, 1)).astype("float32")


def of_words(*after, mask_zero=False, size=WORDS, last="sigmoid"):
    """The class of a text, from an embedding and what follows it."""
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(size, 8, mask_zero=mask_zero),
            *after,
            layers.Dense(1, activation=last),
        ]
    )
    return compiled(model, "binary_crossentropy")


def functional(x=FULL, size=WORDS):
    inputs = keras.Input(x.shape[1:])
    hidden = layers.GlobalAveragePooling1D()(layers.Embedding(size, 8)(inputs))
    return compiled(keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden)), "bce")


def pooled(**options):
    return of_words(layers.GlobalAveragePooling1D(), **options)


def tagged(loss="sparse_categorical_crossentropy", mask_zero=False):
    """A class for each word."""
    model = keras.Sequential(
        [
            keras.Input((STEPS,)),
            layers.Embedding(WORDS, 8, mask_zero=mask_zero),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.Dense(4, activation="softmax"),
        ]
    )
    return compiled(model, loss, ["accuracy"])


def of_numbers(*recurrent, shape=(STEPS, 3)):
    model = keras.Sequential([keras.Input(shape), *recurrent, layers.Dense(1)])
    return compiled(model, "mse")


def padded_with(value):
    return np.where((np.arange(STEPS) < LENGTHS[:, None])[..., None], SENSORS, value)


SCALED = (padded_with(0.0) - np.array([0.5, -1.0, 2.0])) / 3.0
AS_ONES = np.where(FILLED > 0, 1 + FILLED % (WORDS - 2), 1)
QUESTIONS, ANSWERS = FULL[:, :LENGTH], FULL[:, LENGTH : 2 * LENGTH]
MOVED = np.column_stack([np.zeros(ROWS, int), ANSWERS[:, :-1]])


def translator(one_hot=False):
    """An encoder, and a decoder that begins with its state."""
    question = keras.Input((LENGTH,), name="question")
    answer = keras.Input((LENGTH, WORDS) if one_hot else (LENGTH,), name="answer")
    _, *state = layers.LSTM(4, return_state=True)(layers.Embedding(WORDS, 4)(question))
    given = answer if one_hot else layers.Embedding(WORDS, 4)(answer)
    hidden = layers.LSTM(4, return_sequences=True)(given, initial_state=state)
    last = layers.Dense(WORDS, activation="softmax")(hidden)
    loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
    return compiled(keras.Model([question, answer], last), loss)


def next_words(*recurrent):
    last = layers.Dense(WORDS, activation="softmax")
    model = keras.Sequential([keras.Input((STEPS,)), layers.Embedding(WORDS, 4), *recurrent, last])
    return compiled(model, "sparse_categorical_crossentropy")


WRONG = {
    "target-in-inputs": {
        "a decoder": lambda: check(translator(), [QUESTIONS, ANSWERS], ANSWERS),
        "a decoder, by name": lambda: check(
            translator(), {"question": QUESTIONS, "answer": ANSWERS}, ANSWERS[..., None]
        ),
        "a decoder of one-hot rows": lambda: check(
            translator(one_hot=True), [QUESTIONS, np.eye(WORDS)[ANSWERS]], np.eye(WORDS)[ANSWERS]
        ),
        "the next word is this one": lambda: check(
            next_words(layers.LSTM(4, return_sequences=True)), FULL, FULL
        ),
    },
    "embedding-range": {
        "a row of 0 and 1 for each word": lambda: check(
            functional(np.eye(WORDS)[:ROWS], WORDS),
            np.eye(WORDS)[np.arange(ROWS) % WORDS],
            BINARY,
        ),
        "columns that say which words are there": lambda: check(
            pooled(), (np.random.default_rng(2).random((ROWS, WORDS)) < 0.1).astype(int), BINARY
        ),
        "more words than rows": lambda: check(pooled(size=40), FULL, BINARY),
        "counted from 1": lambda: check(functional(size=WORDS - 1), FULL, BINARY),
        "scaled": lambda: check(pooled(), FULL / WORDS, BINARY),
        "negative": lambda: check(pooled(), FULL - 2, BINARY),
        "one input of two": lambda: check(
            recommender(), [np.arange(ROWS), np.arange(ROWS) % 9], NUMBERS
        ),
    },
    "unmasked-padding": {
        "a mask of zeros over padding of -1": lambda: check(
            of_numbers(layers.Masking(), layers.LSTM(8)), padded_with(-1.0), NUMBERS
        ),
        "a mask of zeros that were scaled": lambda: check(
            of_numbers(layers.Masking(), layers.GRU(8)), SCALED, NUMBERS
        ),
        "words filled up with 1": lambda: check(
            of_words(layers.LSTM(8), mask_zero=True), AS_ONES, BINARY
        ),
        "one-hot targets": lambda: check(tagged("categorical_crossentropy"), FILLED, ONE_HOT_TAGS),
        "LSTM": lambda: check(of_words(layers.LSTM(8)), FILLED, BINARY),
        "two layers": lambda: check(
            of_words(
                layers.SpatialDropout1D(0.1), layers.GRU(8, return_sequences=True), layers.GRU(8)
            ),
            FILLED,
            BINARY,
        ),
        "sensors": lambda: check(of_numbers(layers.LSTM(8)), SENSORS, NUMBERS),
        "targets": lambda: check(tagged(), FILLED, TAGS),
        "targets as a column": lambda: check(tagged(), FILLED, TAGS[..., None]),
    },
    "long-sequence": {
        "LSTM": lambda: check(of_numbers(layers.LSTM(4), shape=(1200, 1)), LONG, NUMBERS),
        "any length": lambda: check(of_numbers(layers.GRU(4), shape=(None, 1)), LONG, NUMBERS),
        "both directions": lambda: check(
            of_numbers(layers.Bidirectional(layers.LSTM(4)), shape=(1200, 1)), LONG, NUMBERS
        ),
        "words": lambda: check(of_words(layers.LSTM(4)), np.resize(FULL, (ROWS, 1500)), BINARY),
    },
    "recurrent-activation": {
        "gates": lambda: check(
            of_numbers(layers.LSTM(4, recurrent_activation="relu"), shape=(5, 4)), SERIES, NUMBERS
        ),
        "gates of a GRU": lambda: check(
            of_numbers(layers.GRU(4, recurrent_activation="tanh"), shape=(5, 4)), SERIES, NUMBERS
        ),
        "relu over many steps": lambda: check(
            of_numbers(layers.LSTM(4, activation="relu"), shape=(200, 1)), LONG[:, :200], NUMBERS
        ),
    },
}


def recommender():
    user, film = keras.Input((1,)), keras.Input((1,))
    both = [
        layers.Flatten()(layers.Embedding(size, 4)(given))
        for size, given in ((ROWS, user), (8, film))
    ]
    return compiled(keras.Model([user, film], layers.Dot(-1)(both)), "mse")


NEAR = {
    "target-in-inputs": {
        "a decoder": lambda: check(translator(), [QUESTIONS, MOVED], ANSWERS),
        "what is repeated": lambda: check(translator(), [ANSWERS, MOVED], ANSWERS),
        "the next word": lambda: check(
            next_words(layers.LSTM(4, return_sequences=True)), FULL, np.roll(FULL, -1, axis=1)
        ),
        "words through a bottleneck": lambda: check(
            next_words(
                layers.LSTM(4), layers.RepeatVector(STEPS), layers.LSTM(4, return_sequences=True)
            ),
            FULL,
            FULL,
        ),
    },
    "embedding-range": {
        "bits": lambda: check(pooled(size=2), FULL % 2, BINARY),
        "a few bits": lambda: check(pooled(size=3), FULL[:, :3] % 2, BINARY),
        "as many rows as words": lambda: check(pooled(), FULL, BINARY),
        "numbers as floats": lambda: check(functional(), FULL.astype("float32"), BINARY),
    },
    "unmasked-padding": {
        "a mask of the padding": lambda: check(
            of_numbers(layers.Masking(-1.0), layers.LSTM(8)), padded_with(-1.0), NUMBERS
        ),
        "a mask of nothing, of full rows": lambda: check(
            of_numbers(layers.Masking(), layers.LSTM(8), shape=(4, 3)), SENSORS[:, :4], NUMBERS
        ),
        "words of full rows": lambda: check(of_words(layers.LSTM(8), mask_zero=True), FULL, BINARY),
        "one-hot targets, masked": lambda: check(
            tagged("categorical_crossentropy", mask_zero=True), FILLED, ONE_HOT_TAGS
        ),
        "masked": lambda: check(of_words(layers.LSTM(8), mask_zero=True), FILLED, BINARY),
        "filled up in front": lambda: check(of_words(layers.LSTM(8)), IN_FRONT, BINARY),
        "both directions": lambda: check(
            of_words(layers.Bidirectional(layers.LSTM(8))), FILLED, BINARY
        ),
        "the largest of all steps": lambda: check(
            of_words(layers.LSTM(8, return_sequences=True), layers.GlobalMaxPooling1D()),
            FILLED,
            BINARY,
        ),
        "full rows": lambda: check(of_words(layers.LSTM(8)), FULL, BINARY),
        "sensors, masked": lambda: check(
            of_numbers(layers.Masking(), layers.LSTM(8)), SENSORS, NUMBERS
        ),
        "targets, masked": lambda: check(tagged(mask_zero=True), FILLED, TAGS),
        "targets, ignored": lambda: check(
            tagged(losses.SparseCategoricalCrossentropy(ignore_class=0)), FILLED, TAGS
        ),
        "targets, weighed": lambda: check(
            tagged(), FILLED, TAGS, sample_weight=(TAGS > 0).astype("float32")
        ),
    },
    "long-sequence": {
        "shortened": lambda: check(
            of_numbers(layers.Conv1D(4, 8, strides=8), layers.LSTM(4), shape=(1200, 1)),
            LONG,
            NUMBERS,
        ),
        "convolved": lambda: check(
            of_numbers(layers.Conv1D(4, 8), layers.GlobalMaxPooling1D(), shape=(1200, 1)),
            LONG,
            NUMBERS,
        ),
    },
    "recurrent-activation": {
        "as usual": lambda: check(of_numbers(layers.LSTM(4), shape=(5, 4)), SERIES, NUMBERS),
        "hard sigmoid": lambda: check(
            of_numbers(layers.GRU(4, recurrent_activation="hard_sigmoid"), shape=(5, 4)),
            SERIES,
            NUMBERS,
        ),
        "relu over few steps": lambda: check(
            of_numbers(layers.LSTM(4, activation="relu"), shape=(5, 4)), SERIES, NUMBERS
        ),
    },
}
