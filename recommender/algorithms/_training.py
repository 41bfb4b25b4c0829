"""What a fit is given beside its data, and in what context a list is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recommender.algorithms._features import ItemFeatures

Progress = Callable[[float], None]
# Values by name for the asked users: one for all of them, or an array with one for each.
Context = Mapping[str, Any]


class MissingExtraError(ImportError):
    """The model needs packages that are not installed; says how to install them."""

    def __init__(self, who_needs: str, *, extra: str = "deep") -> None:
        super().__init__(f"{who_needs} the extra {extra!r}: pip install -r requirements-{extra}.txt")


@dataclass(frozen=True)
class Training:
    """What may help a fit: `progress` hears the finished share, 0 to 1; a long fit writes to `checkpoint`
    after every epoch and goes on from there when it finds one of the same parameters and data.
    """

    features: ItemFeatures | None = None
    progress: Progress = lambda share: None
    checkpoint: Path | None = None


def rows_of(context: Context | None, start: int, stop: int, n: int) -> Context:
    """The context of some of n users, every value an array. Raises ValueError for another length."""
    values = {name: np.asarray(value) for name, value in (context or {}).items()}
    for name, value in values.items():
        if value.shape not in ((), (n,)):
            raise ValueError(f"the context {name} has shape {value.shape} for {n} users")
    return {
        name: np.full(stop - start, value) if value.ndim == 0 else value[start:stop]
        for name, value in values.items()
    }
