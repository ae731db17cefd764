"""Rules on what reaches the first weights: scale and preprocessing of the inputs."""

import keras
import numpy as np
from keras import layers

from lossutils import _internals
from lossutils.checks._chain import line_of
from lossutils.checks._findings import rule

RULES = {}

# Numbers in a row that may be a series.
_SERIES = 8

# Published networks with frozen statistics, and the inputs that these are of.
_MEAN_REMOVED = ("resnet50", "resnet101", "resnet152")
_SIGNED_UNIT = ("mobilenet", "inception", "xception", "nasnet", "resnet50v2", "resnet101v2")
_SIGNED_UNIT += ("resnet152v2", "densenet")  # of about this size
_OWN_RESCALING = ("mobilenetv3", "mobilenet_v3")

# Layers that tell such a network where a model was built on its layers.
_OPENED = {
    "conv_dw_1": "MobileNet",
    "expanded_conv_depthwise": "MobileNetV2",
    "mixed0": "InceptionV3",
    "mixed_5b": "InceptionResNetV2",
    "block1_conv1_bn": "Xception",
    "conv2_block1_0_bn": "DenseNet",
    "conv2_block1_preact_bn": "ResNetV2",
    "stem_conv1": "NASNet",
}

# What leaves the channels of pictures where they are.
_KEEP_CHANNELS = (
    *(layers.Activation, layers.ReLU, layers.LeakyReLU, layers.BatchNormalization, layers.Dropout),
    *(layers.SpatialDropout2D, layers.MaxPooling2D, layers.AveragePooling2D, layers.UpSampling2D),
    *(layers.LayerNormalization, layers.GroupNormalization, layers.ZeroPadding2D),
)

# Inputs above these are not of the size that initial weights are made for.
_LARGE_FOR_SGD = 100
_LARGE = 1000

# How many times as large as all others a column has to be to be named.
_FAR_ABOVE = 100

# What to do with whole numbers that are different in each row.
_ROW_NUMBERS = "; drop the column if it is an id"

# Inputs below these all look alike: numbers, and pixels.
_SMALL, _SMALL_PIXELS = 1e-3, 0.005

# Columns, rows and different lengths of texts, their words, and how much numbers side by side may
# be alike.
_WORDS, _ROWS_OF_WORDS, _LENGTHS, _VOCABULARY, _ALIKE = 20, 30, 5, 100, 0.2

# What no tanh or sigmoid tells apart any more: sigmoid(-15) is 0.0000003.
_SATURATES = 15


@rule(RULES, "inputs-scale", "warning", "Inputs far from the scale of the weights")
def inputs_scale(setup):
    """
    Initial weights suit inputs of about 1. With inputs in the hundreds the first outputs, and with
    plain SGD the first steps, are hundreds of times too large: units die, or the loss becomes NaN.
    Adam takes steps of the usual size, but starts from outputs that are as far off, and the columns
    of small numbers hardly count. A first layer of tanh, of sigmoids, or of gates as in an LSTM
    gives -1, 0 or 1 for every such row, without a gradient. Numbers of a thousandth, as of pixels
    that were divided by 255 twice, leave all rows alike. Numbers of words are names: word 200 is
    not twice word 100, whatever the scale.
    """
    if setup.optimizer is None:
        return
    for front in setup.fronts:
        values, first = front.values, front.first
        if values is None or isinstance(first, layers.Embedding) or front.normalized:
            continue
        if front.unadapted or not first.trainable:
            continue  # never-adapted; or weights that were trained on such numbers
        high = np.abs(values).max()
        if _are_words(front):
            yield (
                f"{front.name} look like the numbers of words, up to {high:g}, in rows that are "
                f"filled up with 0, and {first.name!r} takes them for quantities",
                f"begin the model with Embedding({high + 1:.0f}, ..., mask_zero=True), or a "
                "TextVectorization that counts words",
            )
            continue
        pictures = values.ndim == 4 and values.shape[-1] in (1, 3)
        small = 0 < high < (_SMALL_PIXELS if pictures else _SMALL)
        if small and not front.rescaled:  # else wrong-preprocessing
            yield (
                f"{front.name} go up to {high:.2g} only, and nothing scales them",
                "pixels: divide by 255 once; other numbers: standardize with the training rows",
            )
            continue
        rate = setup.learning_rate
        explodes = not setup.adaptive and rate is not None and rate >= 1e-4
        without_mean = values.ndim == 4 and values.min() < -_LARGE_FOR_SGD and high < 256
        large = high > _LARGE or _are_pixels(values)
        if large or (explodes and high > _LARGE_FOR_SGD and not without_mean):
            seen, or_drop = _what_is_large(front, high)
            yield (
                f"{seen}, and nothing scales them",
                "scale them with the training rows (pixels: divide by 255), or begin the model "
                "with keras.layers.Normalization() or Rescaling" + or_drop,
            )
        elif saturated := _saturated(front):
            yield (
                f"{front.name} go up to {high:g}, and the first layer {first.name!r} makes numbers "
                f"of about {saturated:.0f} of them, where {_squash(front)} hardly changes any more",
                "standardize them with the training rows, or begin the model with "
                "keras.layers.Normalization()",
            )


def _are_words(front):
    """Tell whether rows of numbers of words, filled up at one end, meet a Dense layer.

    Quantities in a row, such as sales of a week, are much alike from one to the next.
    """
    values = front.values
    if not isinstance(front.first, layers.Dense) or front.reshaped or front.rescaled:
        return False
    if values.ndim != 2 or values.shape[1] < _WORDS or len(values) < _ROWS_OF_WORDS:
        return False
    if values.min() < 0 or values.max() < _VOCABULARY or (np.floor(values) != values).any():
        return False
    for rows in (values, values[:, ::-1]):
        filled = np.where(rows.any(axis=1), (rows != 0).argmax(axis=1), rows.shape[1])
        lengths = filled[filled > 0]
        inner = (rows == 0).sum() - filled.sum()
        if len(lengths) < len(rows) / 2 or len(np.unique(lengths)) < _LENGTHS:
            continue
        if inner <= 0.01 * (rows != 0).sum():
            last = np.log1p(rows[:, -_WORDS // 2 :])
            left, right = last[:, :-1], last[:, 1:]
            both = (left > 0) & (right > 0)
            return bool(abs(np.corrcoef(left[both], right[both])[0, 1]) < _ALIKE)
    return False


def _what_is_large(front, high):
    """Return what is large, naming a column that is alone in it, and what else to do."""
    table = front.values.ndim == 2 and front.values.shape[1] > 1
    sizes = np.abs(front.values).max(axis=0) if table else np.zeros(2)
    *_, second, top = np.argsort(sizes)
    if not sizes[top] > _FAR_ABOVE * sizes[second]:
        return f"{front.name} go up to {high:g}", ""
    column = front.values[:, top]
    numbers_rows = (np.floor(column) == column).all() and len(np.unique(column)) == len(column)
    return (
        f"column {top} of {front.name} goes up to {high:g}, all others to {sizes[second]:.3g}",
        _ROW_NUMBERS if numbers_rows else "",
    )


def _knows_no_word(layer):
    try:
        return layer.vocabulary_size() <= 2  # of filling up, and of unknown words
    except Exception:  # one that hashes, or splits in a way of its own
        return False


def _squash(front):
    """Name the function with two ends that a hidden first layer applies, or return None."""
    first, *after = front.first, *front.after
    if not any(isinstance(layer, (layers.Dense, layers.RNN)) for layer in after):
        return None  # the output itself
    inner = getattr(first, "forward_layer", first)
    if isinstance(inner, layers.RNN):
        cell = getattr(inner, "cell", inner)
        gates = getattr(cell, "recurrent_activation", None)
        function = gates if gates is not None else getattr(cell, "activation", None)
    elif isinstance(inner, layers.Dense):
        function = inner.activation
        if function is keras.activations.linear and isinstance(after[0], layers.Activation):
            function = after[0].activation
    else:
        return None
    name = getattr(function, "__name__", None)
    return name if name in ("tanh", "sigmoid", "hard_sigmoid", "softsign") else None


def _saturated(front):
    """Return the usual size of what a squashing first layer makes, where that is too large.

    The weights are thought to be drawn anew: those that the layer has decide nothing.
    """
    if _squash(front) is None:
        return None
    layer = getattr(front.first, "forward_layer", front.first)
    units = layer.units * {layers.LSTM: 4, layers.GRU: 3}.get(type(layer), 1)
    rows = front.values.reshape(-1, front.values.shape[-1])
    sizes = np.sqrt((rows**2).sum(axis=1))
    sizes = sizes[sizes > 0]
    size = float(np.median(sizes)) * np.sqrt(2 / (rows.shape[1] + units)) if sizes.size else 0.0
    return size if size > _SATURATES else None


def _are_pixels(values):
    """Tell whether these look like the bytes of pictures, or of rows of at least 64 pixels."""
    low, high = values.min(), values.max()
    if low < 0 or not 200 <= high <= 255:
        return False
    if values.ndim == 4 and values.shape[-1] in (1, 3, 4):
        return True  # resized ones are no whole numbers any more
    wide = values.ndim == 2 and values.shape[1] >= 64
    image = values.ndim == 3 and min(values.shape[1:]) >= 8
    return (wide or image or values.ndim == 4) and bool((np.floor(values) == values).all())


@rule(RULES, "wrong-preprocessing", "warning", "Inputs that were prepared for another network")
def wrong_preprocessing(setup):
    """
    Some published networks begin with a Rescaling of their own and take pixels up to 255. Divided
    by 255 before, all pictures are black to them. The frozen layers of others expect the inputs
    that they were trained on: centered pixels, or numbers from -1 to 1.
    """
    for front in setup.fronts:
        for layer, given, made in front.rescaled:
            scale = np.abs(np.asarray(line_of(layer)[0], dtype=float)).max()
            spread = made.max() - made.min()
            if scale <= 0.01 and 0 < np.abs(given).max() <= 1.01 and 0 < spread < 0.05:
                yield (
                    f"{front.name} go up to {np.abs(given).max():.3g}, and the layer "
                    f"{layer.name!r} multiplies them by {scale:.3g} once more",
                    "pass pixels from 0 to 255 as they are",
                )
        if _is_opened_resnet(front) and np.abs(front.values).max() <= 1.01:
            yield (
                f"{front.name} go from {front.values.min():.3g} to {front.values.max():.3g}, and "
                f"the frozen {front.first.name!r} was trained on pixels from -124 to 151, less "
                "their mean",
                "x = keras.applications.resnet.preprocess_input(x), of pixels up to 255",
            )
        given = front.given
        if given.ndim == 4 and given.shape[-1] == 3 and given.size:
            low, high = float(given.min()), float(given.max())
            if -1.001 <= low < high <= -0.98 or -125 <= low < high <= -100:
                yield (
                    f"{front.name} go from {low:.4g} to {high:.4g} only, as preprocess_input() "
                    "makes of pixels that were divided by 255 before",
                    "pass pixels from 0 to 255 to preprocess_input()",
                )
        opened = _opened(setup, front)
        if opened and front.values.min() >= 0 and front.values.max() > 100:
            yield _not_signed(front.name, front.values, opened)
        for model, given in front.entered:
            name = model.name.lower()
            if model.trainable_weights:
                continue  # it can adapt
            low, high = given.min(), given.max()
            if name.startswith(_OWN_RESCALING):
                continue
            if name.startswith(_SIGNED_UNIT) and low >= 0 and high > 100:
                yield _not_signed(front.name, given, model.name)
            elif name in _MEAN_REMOVED and -1.01 <= low < high <= 1.01:
                yield (
                    f"{front.name} go from {low:.3g} to {high:.3g}, and the frozen {model.name} "
                    "was trained on pixels from -124 to 151, less their mean",
                    "x = keras.applications.resnet.preprocess_input(x), of pixels up to 255",
                )


def _not_signed(name, given, network):
    return (
        f"{name} go from {given.min():.3g} to {given.max():.3g}, and the frozen {network} was "
        "trained on inputs of about 1",
        "x = preprocess_input(x), of the module of this network in keras.applications",
    )


def _opened(setup, front):
    """Name the published network on whose frozen layers a model was built, or return None."""
    if front.entered or front.values is None or getattr(front.first, "trainable", True):
        return None
    names = {layer.name for layer in setup.layers}
    return next((network for layer, network in _OPENED.items() if layer in names), None)


def _is_opened_resnet(front):
    """Tell whether a model was built on the frozen layers of a ResNet, not on the whole."""
    first, after = front.first, front.after[:1]
    if front.entered or getattr(first, "name", "") != "conv1_conv" or first.trainable:
        return False
    return bool(after) and getattr(after[0], "name", "") == "conv1_bn"


@rule(RULES, "never-adapted", "warning", "A Normalization that never saw data")
def never_adapted(setup):
    """
    Normalization learns mean and variance from adapt(), not from fit(). Before that it subtracts 0
    and divides by 1. A column that was constant in adapt() is divided by 1e-7. A TextVectorization
    that was not adapted knows no word, so all texts of a length are the same.
    """
    for layer in setup.layers:
        if isinstance(layer, layers.TextVectorization) and _knows_no_word(layer):
            yield (
                f"{layer.name!r} was never adapted and knows no word",
                f"call {layer.name}.adapt(texts) before fit()",
            )
    for front in setup.fronts:
        for layer, given in front.unadapted:
            if np.abs(given).max() > 10:
                yield (
                    f"{layer.name!r} was never adapted and passes on {front.name}, up to "
                    f"{np.abs(given).max():g}, as they are",
                    f"call {layer.name}.adapt(x_train) before fit()",
                )


@rule(RULES, "channels-first", "warning", "Pictures with their channels in front")
def channels_first(setup):
    """
    Keras on TensorFlow expects pictures of shape (height, width, channels). With (3, 32, 32) a
    convolution slides over three rows of 32 columns and takes the columns of the picture for 32
    colors. A convolution over a series of shape (1, 64) has one step to slide over, of 64 features,
    and a recurrent layer one step to remember. Reshape keeps the order of the numbers: to
    (channels, pixels) it mixes both up, since the channels of a pixel stand side by side.
    """
    yield from _mixed_up(setup)
    for front in setup.fronts:
        first, shape = front.first, front.given.shape
        if isinstance(first, layers.Conv1D) and len(shape) == 3 and not front.reshaped:
            if shape[1] == 1 < first.kernel_size[0] and shape[2] >= _SERIES:
                yield (
                    f"{front.name} have the shape {shape[1:]}, one step with {shape[2]} features, "
                    f"and {first.name!r} slides over the steps",
                    "x = x.reshape(len(x), -1, 1), and Input(x.shape[1:])",
                )
            continue
        if _sees_one_step(front):
            yield (
                f"{front.name} have the shape {shape[1:]}, and {first.name!r} gets one step of "
                "each row, so it has nothing to remember",
                "windows of several steps, of shape (rows, steps, features); where rows are no "
                "series, a Dense layer",
                "warning" if shape[2] == 1 else "info",
            )
        if not isinstance(first, (layers.Conv2D, layers.SeparableConv2D)) or front.reshaped:
            continue
        square = len(shape) == 4 and shape[2] == shape[3] >= 16
        if square and shape[1] in (1, 3) and first.data_format == "channels_last":
            yield (
                f"{front.name} have the shape {shape[1:]}, and {first.name!r} takes the last "
                "number for the channels",
                "x = x.transpose(0, 2, 3, 1), and Input(x.shape[1:])",
            )


def _sees_one_step(front):
    """Tell whether a recurrent layer begins anew with each step."""
    shape, layer = front.given.shape, getattr(front.first, "forward_layer", front.first)
    if not isinstance(layer, layers.RNN) or front.reshaped or len(shape) != 3:
        return False
    try:
        begins_with_a_state = isinstance(front.first.input, (list, tuple))
    except (AttributeError, ValueError):  # not built, or called several times
        return False
    return shape[1] == 1 and not layer.stateful and not begins_with_a_state


def _mixed_up(setup):
    """Look for a Reshape from (height, width, channels) to (channels, height * width)."""
    for layer in setup.layers:
        if not isinstance(layer, layers.Reshape):
            continue
        try:
            before, after = layer.input.shape[1:], layer.output.shape[1:]
        except (AttributeError, ValueError):  # not built, or called several times
            continue
        if len(before) != 3 or None in (*before, *after) or not _makes_channels_last(layer):
            continue
        *places, channels = before
        if 1 < channels != places[0] and tuple(after) in (
            (channels, places[0] * places[1]),
            (channels, *places),
        ):
            yield (
                f"{layer.name!r} makes {tuple(after)} of {tuple(before)}, which mixes pixels and "
                "channels up",
                f"Reshape({(places[0] * places[1], channels)}), or Permute((3, 1, 2)) before it",
            )


def _makes_channels_last(layer):
    """Tell whether what a layer gets was made by a layer with its channels last."""
    history = _internals.keras_history(layer.input)
    while history is not None and history.operation is not None:
        operation = history.operation
        if isinstance(operation, (layers.Conv2D, layers.Conv2DTranspose, layers.SeparableConv2D)):
            return operation.data_format == "channels_last"
        if not isinstance(operation, _KEEP_CHANNELS):
            return False
        (before,) = _internals.inputs_of_node(operation, history.node_index)
        history = _internals.keras_history(before)
    return False
