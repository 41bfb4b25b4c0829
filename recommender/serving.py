"""The champions' models in the memory of this process, loaded once."""

import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import structlog
from django.conf import settings

from recommender import algorithms
from recommender.inputs.histories import Histories
from recommender.models import ModelRun
from recommender.traits import PopularByTrait

log = structlog.get_logger(__name__)
UNREADABLE = algorithms.ArtifactError, algorithms.MissingExtraError, algorithms.UnknownAlgorithmError


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A model and who its columns are: `item_ids` ascending, int64. `by_trait` is for customers without a
    history.
    """

    model: algorithms.Recommender
    item_ids: npt.NDArray[np.int64]
    event_weights: dict[str, float]
    by_trait: PopularByTrait | None = None

    def columns(self, item_ids: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Column of each item; −1 where the model does not know it."""
        wanted = np.asarray(item_ids, dtype=np.int64)
        if not len(self.item_ids):
            return np.full(len(wanted), -1)
        places = np.minimum(np.searchsorted(self.item_ids, wanted), len(self.item_ids) - 1)
        return np.where(self.item_ids[places] == wanted, places, -1)

    def rows(self, histories: Histories) -> algorithms.Interactions:
        """The histories in the model's columns, damped as in training where they are no ratings; items the
        model does not know are left out.
        """
        columns = self.columns(histories.items)
        known = columns >= 0
        rows = algorithms.Interactions.from_arrays(
            users=histories.users[known],
            items=columns[known],
            weights=histories.weights[known],
            timestamps=histories.times[known],
            shape=(len(histories.customers), len(self.item_ids)),
        )
        return rows if histories.are_ratings else rows.damped()

    @property
    def strongest(self) -> float:
        """Weight of the strongest kind of event; of ratings the best one."""
        if self.model.is_explicit:
            return float(getattr(self.model, "highest", 1.0))
        return max(self.event_weights.values())


_served: dict[bool, tuple[float, ServedModel | None]] = {}  # when it was asked for (monotonic), and what


def serve_champion(*, repeats: bool = False, max_age: float = 0.0) -> ServedModel | None:
    """The champion of that use; of repeats, if there is none, the one of new items. It is the one of now, or
    of at most `max_age` seconds ago.

    None without a champion, and when its file is missing or damaged on this machine, or needs what is not
    installed here (which is logged).
    """
    now = time.monotonic()
    asked_at, known = _served.get(repeats, (float("-inf"), None))
    if now - asked_at <= max_age:
        return known
    found = _ask(repeats=repeats)
    _served[repeats] = (now, found)
    return found


def refresh_champions(*, max_age: float) -> None:
    """As `serve_champion`, of each use that was asked for."""
    for repeats in list(_served):
        serve_champion(repeats=repeats, max_age=max_age)


def forget() -> None:
    """Whoever asks next asks the database."""
    _served.clear()


def _ask(*, repeats: bool) -> ServedModel | None:
    champions = ModelRun.objects.filter(is_champion=True, repeats__in={repeats, False})
    champion = champions.order_by("-repeats").values("pk", "artifact", "artifact_sha256").first()
    if champion is None:
        return None
    try:
        return _load(champion["pk"], champion["artifact"], champion["artifact_sha256"])
    except (
        algorithms.ArtifactError,
        algorithms.MissingExtraError,
        algorithms.UnknownAlgorithmError,
    ) as error:
        log.error("champion_unreadable", run=champion["pk"], error=str(error))
        return None


@lru_cache(maxsize=2)
def _load(run_id: int, artifact: str, digest: str) -> ServedModel:
    run = ModelRun.objects.get(pk=run_id)
    model = algorithms.load(settings.MODEL_DIR / artifact, digest=digest)
    if len(run.item_ids) != model.n_items:
        raise algorithms.ArtifactError(f"{artifact} knows {model.n_items} items, its run {len(run.item_ids)}")
    item_ids = np.array(run.item_ids, dtype=np.int64)
    return ServedModel(model, item_ids, run.event_weights, PopularByTrait.of(run.popular_by_trait))


def serve_run(run: ModelRun) -> ServedModel:
    """The model of any finished run, to look at its lists; few are kept, beside the champions'.

    Raises ArtifactError where the file is missing or damaged, UnknownAlgorithmError, MissingExtraError.
    """
    load = _load if run.is_champion else _load_aside
    return load(run.pk, run.artifact, run.artifact_sha256)


_load_aside = lru_cache(maxsize=2)(_load.__wrapped__)
