"""Queueing, running and promoting models. A model serves only when the evidence, or a person, says so."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from personalization.access.services import audit
from recommender import algorithms
from recommender.errors import PromotionError, TrainingCanceled, TrainingEnded, TrainingError
from recommender.evaluation.tuning import AUTO, DEFAULT_SECONDS
from recommender.inputs.interactions import DEFAULT_EVENT_WEIGHTS
from recommender.models import DecidingMetric, ModelRun, RunStatus
from recommender.training.run import checkpoints, train_and_judge

log = structlog.get_logger(__name__)
SYSTEM = "system"
MAX_ATTEMPTS = 3
MAX_BUDGET_SECONDS = 86_400
# Files kept of each algorithm and use, beside those of all champions there ever were.
KEPT_FILES = 3
# First halves of two-part advisory lock keys: any numbers of our own.
TRAINING_LOCK, PROMOTION_LOCK = 7_301, 7_302
ENDED = (RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELED)


@transaction.atomic
def train(
    *,
    algorithm: str,
    parameters: Mapping[str, Any] | None = None,
    event_weights: Mapping[str, float] | None = None,
    repeats: bool | None = None,
    metric: str = DecidingMetric.NDCG,
    budget_seconds: int | None = None,
    actor: str = SYSTEM,
) -> ModelRun:
    """Creates a waiting run; after commit the caller enqueues `tasks.train_model`. Raises TrainingError.

    `algorithm` may be "auto": it and its parameters are then chosen within `budget_seconds`. With a budget
    and an algorithm, the parameters that are not given are tuned. `repeats` None: as suits the algorithm.
    """
    chosen = dict(parameters or {})
    by_nature = False
    if algorithm == AUTO:
        budget_seconds = budget_seconds or DEFAULT_SECONDS
        if chosen:
            raise TrainingError(_("auto finds the parameters itself; give none."))
    else:
        try:
            by_nature = algorithms.get(algorithm)(**chosen).repeats_by_nature
        except (TypeError, ValueError) as error:
            raise TrainingError(str(error)) from error
    weights = dict(DEFAULT_EVENT_WEIGHTS if event_weights is None else event_weights)
    if not weights or any(not 0 < weight < 1e6 for weight in weights.values()):
        raise TrainingError(_("Every event needs a weight above zero."))
    if metric not in DecidingMetric:
        raise TrainingError(_("No model can be chosen by %(metric)s.") % {"metric": metric})
    if budget_seconds is not None and not 0 < budget_seconds <= MAX_BUDGET_SECONDS:
        raise TrainingError(_("The time for tuning is 1 second to 24 hours."))
    run = ModelRun.objects.create(
        algorithm=algorithm, requested=algorithm, parameters=chosen, event_weights=weights, metric=metric,
        repeats=by_nature if repeats is None else repeats, budget_seconds=budget_seconds,
    )  # fmt: skip
    audit(actor=actor, action="model.queued", target=f"model:{run.pk}", algorithm=algorithm)
    return run


def run_training(run_id: int) -> bool:
    """Trains, judges and stores one waiting run; True when this call did it. Safe to call again.

    Only one training per algorithm goes on at a time; another one stays waiting. A run found half done
    belongs to a worker that died, since the lock is free: it starts over. A failure is written into the
    run, and the champion stays.
    """
    run = ModelRun.objects.get(pk=run_id)
    with _training_lock(run.requested or run.algorithm) as is_ours:
        if not is_ours or not _begin(run):
            return False
        try:
            _train(run)
        except TrainingCanceled:
            _drop_checkpoints(run)
            if run.artifact:  # written, and not yet in the row
                (settings.MODEL_DIR / run.artifact).unlink(missing_ok=True)
        except Exception as error:
            log.exception("training_failed", run=run.pk, algorithm=run.algorithm)
            _finish(run, status=RunStatus.FAILED, error=_said(error))
    return True


@transaction.atomic
def cancel(run: ModelRun, *, actor: str) -> None:
    """A waiting run is not begun; one under way ends within a second of its next note of progress, and leaves
    nothing. Raises TrainingEnded when it is over."""
    active = ModelRun.objects.filter(pk=run.pk).exclude(status__in=ENDED)
    if not active.update(status=RunStatus.CANCELED, progress="", finished_at=timezone.now()):
        raise TrainingEnded(_("This training is over already."))
    audit(actor=actor, action="model.canceled", target=f"model:{run.pk}")


@transaction.atomic
def promote(run: ModelRun, *, actor: str, reason: str) -> None:
    """Makes this run the one that serves. Raises PromotionError when it has no model to serve with."""
    _lock_promotion()
    run.refresh_from_db()
    if run.status != RunStatus.DONE or not run.artifact:
        raise PromotionError(_("Only a finished model can be promoted."))
    if run.is_champion:
        return
    _crown(run, promoted_at=timezone.now(), actor=actor, reason=reason)
    audit(actor=actor, action="model.promoted", target=f"model:{run.pk}", reason=reason)


@transaction.atomic
def roll_back(*, actor: str, reason: str, repeats: bool = False, away_from: int | None = None) -> ModelRun:
    """Back to the champion of that use before this one; again, and it is the one before that. Raises
    PromotionError, also when `away_from` is not the champion any more.
    """
    _lock_promotion()
    current = _champion(repeats)
    if away_from is not None and (current is None or current.pk != away_from):
        raise PromotionError(_("This model does not serve now."))
    previous = previous_champion(repeats=repeats)
    if current is None or previous is None:
        raise PromotionError(_("There is no earlier champion to go back to."))
    # It keeps its own time of promotion, so that the order of champions stays as it was.
    _crown(previous, promoted_at=previous.promoted_at, actor=actor, reason=reason)
    audit(actor=actor, action="model.rolled_back", target=f"model:{previous.pk}", away_from=current.pk)
    return previous


def previous_champion(*, repeats: bool = False) -> ModelRun | None:
    """The one that `roll_back` would go back to; None when there is none."""
    current = _champion(repeats)
    if current is None:
        return None
    earlier = ModelRun.objects.filter(
        status=RunStatus.DONE, promoted_at__lt=current.promoted_at, repeats=repeats
    ).exclude(artifact="")
    return earlier.order_by("-promoted_at").first()


def _train(run: ModelRun) -> None:
    champion = _champion(run.repeats)
    comparison = train_and_judge(run, champion=champion)
    with transaction.atomic():
        if ModelRun.objects.select_for_update().get(pk=run.pk).status == RunStatus.CANCELED:
            raise TrainingCanceled
        _finish(run, status=RunStatus.DONE)
    if comparison.is_better:
        _promote_unless_changed(run, champion, reason=comparison.reason)
    _drop_old_files(run)


def _champion(repeats: bool) -> ModelRun | None:
    return ModelRun.objects.filter(is_champion=True, repeats=repeats).first()


def _said(error: Exception) -> str:
    """Our own sentences as they are; of a surprise also its kind."""
    expected = (TrainingError, algorithms.NotEnoughMemoryError, algorithms.MissingExtraError)
    words = str(error) if isinstance(error, expected) else f"{type(error).__name__}: {error}"
    return words[:2000]


def _drop_old_files(run: ModelRun) -> None:
    """Of the runs that never served, only the latest files of each algorithm and use stay."""
    with transaction.atomic():
        _lock_promotion()
        finished = ModelRun.objects.filter(
            algorithm=run.algorithm, repeats=run.repeats, status=RunStatus.DONE, promoted_at=None
        ).exclude(artifact="")
        old = list(finished.order_by("-finished_at", "-pk")[KEPT_FILES:])
        ModelRun.objects.filter(pk__in=[found.pk for found in old]).update(
            artifact="", item_ids=[], popular_by_trait=[]
        )
    for found in old:
        (settings.MODEL_DIR / found.artifact).unlink(missing_ok=True)


def _promote_unless_changed(run: ModelRun, champion: ModelRun | None, *, reason: str) -> None:
    """The evidence is about one champion: if another took over meanwhile, it proves nothing."""
    with transaction.atomic():
        _lock_promotion()
        now = _champion(run.repeats)
        if (now and now.pk) != (champion and champion.pk):
            run.metrics["decision"] = _("Not promoted: the champion changed while this model was trained.")
            run.save(update_fields=["metrics"])
            return
        promote(run, actor=SYSTEM, reason=reason)


def _crown(run: ModelRun, *, promoted_at: datetime | None, actor: str, reason: str) -> None:
    ModelRun.objects.filter(is_champion=True, repeats=run.repeats).update(is_champion=False)
    run.is_champion = True
    run.promoted_at, run.promoted_by, run.promoted_reason = promoted_at, actor[:200], reason[:300]
    run.save(update_fields=["is_champion", "promoted_at", "promoted_by", "promoted_reason"])


@transaction.atomic
def _begin(run: ModelRun) -> bool:
    """Notes the start of a waiting or abandoned run; False when there is nothing to do."""
    ModelRun.objects.select_for_update().only("pk").get(pk=run.pk)  # or it could be canceled meanwhile
    run.refresh_from_db()
    if run.status in ENDED:
        return False
    if run.attempts >= MAX_ATTEMPTS:
        # Most likely killed for its memory: trying for ever would kill the worker for ever.
        _finish(run, status=RunStatus.FAILED, error=_("The worker died during this training, several times."))
        return False
    run.status, run.started_at, run.attempts = RunStatus.RUNNING, timezone.now(), run.attempts + 1
    run.save(update_fields=["status", "started_at", "attempts"])
    return True


def _finish(run: ModelRun, *, status: RunStatus, error: str = "") -> None:
    run.status, run.error, run.finished_at = status, error, timezone.now()
    run.progress, run.progress_share = "", 1.0 if status == RunStatus.DONE else run.progress_share
    run.save(
        update_fields=[
            "status", "error", "progress", "progress_share", "finished_at", "metrics", "artifact",
            "artifact_sha256", "item_ids", "popular_by_trait",
        ]
    )  # fmt: skip
    _drop_checkpoints(run)


def _drop_checkpoints(run: ModelRun) -> None:
    for path in checkpoints(run):
        path.unlink(missing_ok=True)


@contextmanager
def _training_lock(algorithm: str) -> Iterator[bool]:
    """True when no other training of this algorithm goes on.

    The lock belongs to a transaction on a connection of its own: it ends with the worker however that
    ends, holds behind a pooler, and the progress is committed beside it.
    """
    own = connection.copy()
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [TRAINING_LOCK, algorithm])
            is_ours = bool(cursor.fetchone()[0])
        yield is_ours
        with suppress(DatabaseError):
            own.rollback()  # closing alone does not wait for the server: the next would be refused
    finally:
        own.close()


def _lock_promotion() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [PROMOTION_LOCK])
