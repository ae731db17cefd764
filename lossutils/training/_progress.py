"""The bar that a long training shows."""

import sys

from tqdm import tqdm

_DELAY = 3  # seconds


def progress_bar(total, unit, verbose):
    """Return a bar for standard error; ``"auto"`` shows it in a terminal, once it takes long."""
    if verbose == "auto":
        return tqdm(
            total=total, unit=unit, delay=_DELAY, disable=None if sys.stderr else True, leave=False
        )
    if verbose not in (False, True, 0, 1):
        raise ValueError(f'verbose must be True, False or "auto", got {verbose!r}')
    return tqdm(total=total, unit=unit, disable=not verbose)
