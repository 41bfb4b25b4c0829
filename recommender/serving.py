"""The champions' models in the memory of this process, loaded once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import structlog
from django.conf import settings

from recommender import algorithms
from recommender.interactions import History
from recommender.models import ModelRun

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ServedModel:
    """A model and who its columns are: `item_ids` ascending, int64."""

    model: algorithms.Recommender
    item_ids: npt.NDArray[np.int64]
    event_weights: dict[str, float]

    def columns(self, item_ids: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Column of each item; −1 where the model does not know it."""
        wanted = np.asarray(item_ids, dtype=np.int64)
        if not len(self.item_ids):
            return np.full(len(wanted), -1)
        places = np.minimum(np.searchsorted(self.item_ids, wanted), len(self.item_ids) - 1)
        return np.where(self.item_ids[places] == wanted, places, -1)

    def rows(self, histories: Sequence[History]) -> algorithms.Interactions:
        """The histories in the model's columns, damped as in training; items it does not know are left
        out. With times when all of them are known.
        """
        users = np.repeat(np.arange(len(histories)), [len(history.weights) for history in histories])
        pairs = [(history, item) for history in histories for item in history.weights]
        columns = self.columns([item for _, item in pairs])
        known = np.flatnonzero(columns >= 0)
        users, columns = users[known], columns[known]
        weights = np.array([history.weights[item] for history, item in pairs], dtype=np.float64)[known]
        shape = (len(histories), len(self.item_ids))
        rows = algorithms.Interactions.from_arrays(
            users=users, items=columns, weights=weights, shape=shape
        ).damped()
        if not all(item in history.times for history, item in pairs):
            return rows
        times = np.array([history.times[item] for history, item in pairs], dtype=np.int64).reshape(-1, 3)
        # Each pair stands once, so this is the order that the rows are in.
        latest, first, counts = times[known][np.lexsort((columns, users))].T
        return replace(rows, timestamps=latest, first_timestamps=first, counts=counts)

    def popular(self) -> list[tuple[int, float]]:
        """Item ids with their weight in the training data, most first."""
        weights = self.model.item_weights
        order = np.argsort(-weights, kind="stable")
        return [(int(self.item_ids[at]), float(weights[at])) for at in order]


def serve_champion(*, repeats: bool = False) -> ServedModel | None:
    """The champion of that use; of repeats, if there is none, the one of new items.

    None without a champion, and when its file is missing or damaged on this machine (which is logged).
    """
    champions = ModelRun.objects.filter(is_champion=True, repeats__in={repeats, False})
    champion = champions.order_by("-repeats").values("pk", "artifact", "artifact_sha256").first()
    if champion is None:
        return None
    try:
        return _load(champion["pk"], champion["artifact"], champion["artifact_sha256"])
    except algorithms.ArtifactError as error:
        log.error("champion_unreadable", run=champion["pk"], error=str(error))
        return None


@lru_cache(maxsize=2)
def _load(run_id: int, artifact: str, digest: str) -> ServedModel:
    run = ModelRun.objects.get(pk=run_id)
    model = algorithms.load(settings.MODEL_DIR / artifact, digest=digest)
    if len(run.item_ids) != model.n_items:
        raise algorithms.ArtifactError(f"{artifact} knows {model.n_items} items, its run {len(run.item_ids)}")
    return ServedModel(model, np.array(run.item_ids, dtype=np.int64), run.event_weights)


def serve_run(run: ModelRun) -> ServedModel:
    """The model of any finished run, to look at its lists; few are kept, beside the champions'.

    Raises ArtifactError where the file is missing or damaged, UnknownAlgorithmError, MissingExtraError.
    """
    load = _load if run.is_champion else _load_aside
    return load(run.pk, run.artifact, run.artifact_sha256)


_load_aside = lru_cache(maxsize=2)(_load.__wrapped__)
