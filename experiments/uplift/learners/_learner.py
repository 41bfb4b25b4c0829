"""What a model of uplift must do."""

from abc import ABC, abstractmethod
from typing import ClassVar, Self

from threadpoolctl import threadpool_limits

from experiments.uplift.responses import Base
from experiments.uplift.table import Encoder, Floats, Table
from experiments.uplift.trial import Trial


class Learner(ABC):
    """To add one, put one module with one subclass into this package.

    `base` is the model inside: "linear" (logistic for outcomes of 0 and 1, else ridge) or "boosted" (trees).
    """

    name: ClassVar[str]

    def __init__(self, *, base: Base = "linear", seed: int = 0) -> None:
        self.base = base
        self.seed = seed

    def fit(self, trial: Trial) -> Self:
        self._encoder = Encoder(trial.table)
        # Many small fits: on a busy machine threads cost more than they give.
        with threadpool_limits(limits=1):
            self._fit(self._encoder.matrix(trial.table), trial)
        return self

    def predict(self, table: Table) -> Floats:
        """The expected extra outcome of a message, in units of the outcome, per customer."""
        with threadpool_limits(limits=1):
            return self._predict(self._encoder.matrix(table))

    @abstractmethod
    def _fit(self, features: Floats, trial: Trial) -> None:
        """`features`: customers × columns."""

    @abstractmethod
    def _predict(self, features: Floats) -> Floats: ...
