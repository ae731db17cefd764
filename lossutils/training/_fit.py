"""One training of one model."""

import keras

from lossutils.training import _arguments, _compiled
from lossutils.training._program import Program
from lossutils.training._progress import progress_bar


def fit(
    model,
    data,
    epochs,
    batch_size=32,
    shuffle=True,
    seed=0,
    class_weight=None,
    sample_weight=None,
    jit_compile=False,
    device="CPU",
    verbose="auto",
    **unsupported,
):
    """Train a compiled Keras model in place: what `model.fit` does, as one compiled program.

    Epochs, steps and measurements run in one graph, which returns to Python about twice a second:
    an interrupt ends the training, and leaves what was measured in ``model.history``. With
    ``shuffle=False`` the weights and the test measures equal those of
    ``model.fit(..., validation_data=...)``. (Where a layer draws random numbers in inference too,
    such as dropout inside of an LSTM, measuring does not move its generator, as it does in Keras.)

    After each epoch, loss and metrics are measured on all training rows and on all test rows, in
    inference mode and unweighted, so that the two curves can be compared. (The training loss that
    Keras reports is a mean over the epoch, while the weights still move.) A loss or metric that
    depends on the other rows of its batch is measured in batches of ``batch_size``, as in Keras.
    Data, loss, metrics and a constant learning rate have the precision of the model's weights. A
    training that diverges records NaN.

    Parameters
    ----------
    model : keras.Model
        A compiled model, with one or several inputs and outputs: any Keras losses, loss weights and
        optimizer, and metrics that give one number each.
    data : Dataset
        Training and test rows, nested as `model.fit` takes them.
    epochs : int
        Passes through the training rows.
    batch_size : int, default 32
        Rows a step; the last step of an epoch takes what is left.
    shuffle : bool, default True
        Whether each epoch takes the training rows in a new order.
    seed : int, default 0
        Seed of these orders. Initial weights and dropout have their seeds from Keras.
    class_weight : dict of int to float, optional
        Weight of each class in the training loss, as in Keras: classes not named weigh 1. Only for
        a model with one output.
    sample_weight : array-like of shape (n_train,), dict or list of them, or callable, optional
        Weight of each training row in the training loss, as in Keras. For several outputs, one
        array for all of them, or one for each, nested like the targets, where None stands for no
        weights. A function takes the data set and returns the weights.
    jit_compile : bool, default False
        Whether XLA compiles the program. That takes about a second and pays off when the same
        training is repeated.
    device : str, default "CPU"
        Where to train, for instance ``"GPU"``. Small networks are faster on the CPU.
    verbose : bool or "auto", default "auto"
        Whether to show a bar of the epochs. ``"auto"`` shows one in a terminal, after three
        seconds; a notebook's output and a log stay free of it.

    Returns
    -------
    keras.callbacks.History
        ``history`` has the lists ``train_loss``, ``test_loss``, and ``train_<metric>``,
        ``test_<metric>`` for each metric, with a value for each epoch. With several outputs they
        have Keras's names, such as ``test_price_mae``, and ``test_price_loss`` is the loss of an
        output without its loss weight (as in Keras the mean over batches of ``batch_size``, where
        the last counts as much as the others).

    Raises
    ------
    TypeError
        If ``model`` is no Keras model or ``data`` no `Dataset`, or for an argument that only
        `model.fit` has, such as ``callbacks``.
    ValueError
        If the model is not compiled, or of a kind that needs `model.fit` (a training step of its
        own, several losses for one output, loss scaling, another backend); if targets, outputs and
        losses do not fit, or would broadcast; if a label, weight or number is out of range.

    Examples
    --------
    >>> import keras
    >>> from lossutils import datasets, models, training
    >>> keras.utils.set_random_seed(0)
    >>> model = models.mlp(inputs=2, hidden=[50], outputs=1, activation="sigmoid")
    >>> model.compile("sgd", loss="binary_crossentropy", metrics=["accuracy"])
    >>> history = training.fit(model, datasets.circles(), epochs=2)
    >>> list(history.history)
    ['train_loss', 'test_loss', 'train_accuracy', 'test_accuracy']
    """
    _arguments.refuse(unsupported, "fit")
    _compiled.check_model(model)
    _arguments.check_data(data)
    _arguments.check_numbers(epochs=epochs, batch_size=batch_size)
    _arguments.check_seed(seed)
    _arguments.check_device(device)
    weights = _arguments.row_weights(data, class_weight, sample_weight)
    program = Program(model, data, batch_size, jit_compile, device)
    learning_rate = _compiled.constant_learning_rate(model)
    history = keras.callbacks.History()
    history.set_model(model)
    history.set_params({"epochs": epochs, "batch_size": batch_size})
    history.epoch = []
    model.history = history
    with progress_bar(epochs, "epoch", verbose) as bar:

        def note(count, measured):
            history.epoch.extend(range(len(history.epoch), len(history.epoch) + count))
            for name, values in measured.items():
                history.history.setdefault(name, []).extend(values)
            bar.update(count)

        program.run(data, weights, epochs, shuffle, seed, learning_rate, note)
    if hasattr(model.optimizer, "finalize_variable_values"):
        model.optimizer.finalize_variable_values(model.trainable_variables)
    return history
