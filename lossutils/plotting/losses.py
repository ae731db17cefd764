"""The figure of a loss and its gradient."""

from collections.abc import Mapping
from textwrap import fill

import numpy as np

from ._axes import draw_legend, in_words, new_panels
from ._style import CLASS_COLORS, DASHES, QUIET, color_of, shades, styled, styles_of


@styled
def loss_curve(losses, axes=None, *, target=None, xlabel=None, **parameters):
    """Draw a loss and its gradient, side by side, along the line that its entry describes.

    The loss says what a prediction costs; the gradient says what the training does about it. One
    thing varies in a figure: the target, a parameter, or the loss.

    Parameters
    ----------
    losses : Entry, sequence of Entry, or mapping of str to Entry
        Entries of ``losses.CATALOGUE``. Several are compared in shape only, since their values
        have different units.
    axes : array of two Axes, optional
        Where to draw. A new figure by default.
    target : str, optional
        Draw this target only, by its name in ``entry.curve.targets``. By default one loss is drawn
        for each of its targets; several losses or several values of a parameter are drawn for
        the first.
    xlabel : str, optional
        Label of the horizontal axes. By default ``entry.curve.label``.
    **parameters
        Parameters of the loss, such as ``delta=1.0``, or several values of one,
        ``delta=[0.5, 1, 2]``.

    Returns
    -------
    array of two matplotlib.axes.Axes
        The loss and the gradient.

    Raises
    ------
    TypeError
        If ``losses`` holds something else than catalogue entries.
    ValueError
        If more than one thing varies, a target or a parameter is unknown, or the horizontal axes
        of several losses mean different things.

    Examples
    --------
    >>> from lossutils import losses, plotting
    >>> axes = plotting.loss_curve(losses.CATALOGUE["huber"], delta=[0.5, 1, 2])
    >>> [line.get_label() for line in axes[0].lines]
    ['δ = 0.5', 'δ = 1', 'δ = 2']
    """
    entries = _entries(losses)
    varying = [name for name, value in parameters.items() if np.ndim(value) > 0]
    _check_curves(entries, target, parameters, varying)
    first = next(iter(entries.values()))
    if len(entries) > 1:
        curves = _curves_of_losses(entries, target, parameters)
    elif varying:
        curves = _curves_of_values(first, target, parameters, varying[0])
    else:
        curves = _curves_of_targets(first, target, parameters)

    own_figure = axes is None
    axes = new_panels(axes, 2)
    for name, look, abscissa, loss, slope in curves:
        axes[0].plot(abscissa, loss, label=name, **look)
        axes[1].plot(abscissa, _broken_at_jumps(slope), label=name, **look)
    axes[1].axhline(0, color=QUIET, linewidth=0.8, zorder=1.5)
    _cut_poles(axes[1], np.concatenate([slope for *_, slope in curves]))
    axes[0].set_ylabel("Loss" if len(entries) == 1 else "Loss, each in its own unit")
    axes[1].set_ylabel("Gradient")
    for ax in axes:
        ax.set_xlabel(fill(xlabel or in_words(first.curve.label), 32))
        ax.grid(axis="y")
    if len(curves) > 1:
        draw_legend(axes[0], over_figure=own_figure)
    return axes


def _entries(losses):
    """Name the entries, by the caller's names or by their titles."""
    if isinstance(losses, Mapping):
        entries = dict(losses)
    else:
        several = losses if isinstance(losses, list | tuple) else [losses]
        entries = {getattr(entry, "title", entry): entry for entry in several}
    if not entries:
        raise ValueError("losses is empty; pass at least one entry of losses.CATALOGUE.")
    for entry in entries.values():
        if not hasattr(entry, "along_curve"):
            raise TypeError(
                f"losses must be entries of the catalogue; got {entry!r}. "
                "Use losses.CATALOGUE['huber'], for example."
            )
    return entries


def _check_curves(entries, target, parameters, varying):
    several = (["losses"] if len(entries) > 1 else []) + varying
    if len(several) > 1:
        raise ValueError(
            f"one thing may vary in a figure, but {' and '.join(several)} do; "
            "give single values, or draw a figure for each."
        )
    for name, entry in entries.items():
        unknown = sorted(set(parameters) - set(entry.parameters))
        if unknown:
            raise ValueError(
                f"{name!r} has no parameter {unknown[0]!r}; it has {sorted(entry.parameters)}."
            )
        if target is not None and target not in entry.curve.targets:
            raise ValueError(
                f"{name!r} has no target {target!r}; it has {list(entry.curve.targets)}."
            )
    labels = {entry.curve.label for entry in entries.values()}
    if len(labels) > 1:
        raise ValueError(
            f"the losses are drawn over different things: {sorted(labels)}; "
            "draw a figure for each, or give them one curve with dataclasses.replace."
        )


# Each of the next three returns the curves as (label, look, abscissa, loss, gradient).


def _curves_of_losses(entries, target, parameters):
    looks = styles_of(entries, [entry.name for entry in entries.values()])
    return [
        (name, looks[name], *_along(entry, target, parameters)) for name, entry in entries.items()
    ]


def _curves_of_values(entry, target, parameters, varying):
    symbol = {"delta": "δ", "gamma": "γ", "alpha": "α", "beta": "β", "tau": "τ"}.get(
        varying, varying.replace("_", " ")
    )
    values = parameters[varying]
    return [
        (f"{symbol} = {value:g}", look, *_along(entry, target, parameters | {varying: value}))
        for value, look in zip(values, shades(color_of(entry.name), len(values)), strict=True)
    ]


def _curves_of_targets(entry, target, parameters):
    names = [target] if target else list(entry.curve.targets)
    return [
        (name, look, *_along(entry, name, parameters))
        for name, look in zip(names, _target_styles(entry, names), strict=True)
    ]


def _along(entry, target, parameters):
    abscissa, curves = entry.along_curve(**parameters)
    loss, slope = curves[target or next(iter(curves))]
    return abscissa, np.asarray(loss), np.asarray(slope)


def _target_styles(entry, targets):
    """Style the targets of one loss: classes have their colors, numbers get shades."""
    if "classification" in entry.task:
        classes = [_hard_class(entry.curve.targets[target]) for target in targets]
        if None not in classes and len(set(classes)) == len(classes):
            return [
                {"color": CLASS_COLORS[label], "linestyle": dash}
                for label, dash in zip(classes, DASHES * len(classes), strict=False)
            ]
    return shades(color_of(entry.name), len(targets))


def _hard_class(target):
    """Class of a one-hot row or of a single label; None where the target is neither."""
    target = np.ravel(target)
    if not np.isin(target, (-1, 0, 1)).all():
        return None
    return int(target.argmax()) if target.size > 1 else int(target[0] > 0)


def _cut_poles(ax, values):
    """Let a gradient without bound leave the axes, so that the rest can be read."""
    reach = np.quantile(np.abs(values), 0.95)
    if np.abs(values).max() > 4 * reach > 0:
        low, high = np.clip([values.min(), values.max()], -reach, reach)
        room = 0.05 * (high - low)
        ax.set_ylim(low - room, high + room)


def _broken_at_jumps(values):
    """Put a gap where a gradient jumps, since a line there would be a slope that is not."""
    steps = np.abs(np.diff(values))
    # A jump may take two steps, through a value in the middle: compare with the steps beyond.
    around = np.zeros_like(steps)
    around[2:] = steps[:-2]
    around[:-2] = np.maximum(around[:-2], steps[2:])
    jumps = np.flatnonzero((steps > 0.05 * np.ptp(values)) & (steps > 5 * around)) + 1
    broken = np.array(values, dtype=float)
    broken[jumps] = np.nan
    return broken
