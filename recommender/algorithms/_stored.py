"""What a recommender holds, and how it is written to a file and read again."""

import inspect
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy.typing as npt

from recommender.algorithms import _artifact
from recommender.algorithms._interactions import Floats, Interactions

Arrays = dict[str, npt.NDArray[Any]]


class Stored(ABC):
    """Arrays, parameters and facts of a model; the histories of its users where they were kept."""

    name: ClassVar[str]
    _histories: Interactions | None = None
    item_weights: Floats
    trained_until: int = 0

    @property
    def parameters(self) -> dict[str, Any]:
        names = inspect.signature(type(self)).parameters
        return {name: getattr(self, name) for name in names}

    @property
    def n_items(self) -> int:
        return len(self.item_weights)

    def save(self, path: str | Path, *, with_histories: bool = True) -> str:
        """Writes one file (see `_artifact`), answers its digest. Without histories only `recommend_for`
        works.
        """
        header = {"algorithm": self.name, "parameters": self.parameters, "facts": self._facts()}
        arrays = {f"model.{name}": array for name, array in self._arrays().items()}
        arrays["item_weights"] = self.item_weights
        if with_histories:
            arrays |= {f"history.{name}": column for name, column in self._trained().columns().items()}
        return _artifact.write(path, header=header, arrays=arrays)

    @classmethod
    def load(cls, path: str | Path, *, digest: str | None = None) -> Self:
        """The model as it was saved. Raises ArtifactError when the file is damaged or of another
        algorithm.
        """
        header, arrays = _artifact.read(path, digest=digest)
        if header.get("algorithm") != cls.name:
            raise _artifact.ArtifactError(f"{path} holds {header.get('algorithm')!r}, not {cls.name!r}")
        try:
            model = cls(**header["parameters"])
            model.item_weights = arrays["item_weights"]
            model._restore({name[6:]: array for name, array in arrays.items() if name.startswith("model.")})
            model._restore_facts(header["facts"])
            columns = {name[8:]: array for name, array in arrays.items() if name.startswith("history.")}
            if columns:
                model._histories = Interactions.from_columns(columns, n_items=model.n_items)
        except (KeyError, TypeError, ValueError) as error:
            raise _artifact.ArtifactError(f"{path} is no {cls.name} of this version: {error}") from error
        return model

    def _trained(self) -> Interactions:
        if self._histories is None:
            raise ValueError("the model holds no users: it is not fitted, or was saved without histories")
        return self._histories

    def _facts(self) -> dict[str, Any]:
        """What has to be saved beside arrays: JSON."""
        return {"trained_until": self.trained_until}

    def _restore_facts(self, facts: dict[str, Any]) -> None:
        self.trained_until = int(facts["trained_until"])

    @abstractmethod
    def _arrays(self) -> Arrays:
        """What has to be saved."""

    @abstractmethod
    def _restore(self, arrays: Arrays) -> None:
        """The reverse of `_arrays`."""
