"""One training from the first event to the file: reading, tuning, judging, the fit on everything."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from recommender import algorithms
from recommender.errors import TrainingCanceled, TrainingError
from recommender.evaluation import Log, time_split
from recommender.evaluation.tuning import AUTO, DEFAULT_SECONDS, Tuned, candidates, tune
from recommender.inputs.features import load_features, with_catalog
from recommender.inputs.interactions import EventLog, load_events, load_ratings
from recommender.models import ModelRun, RunStatus
from recommender.training.comparison import Comparison, Material, compare
from recommender.traits import popular_by_trait

SECONDS_BETWEEN_NOTES = 1.0
# Where the bar stands when each part begins.
READING, TUNING, COMPARING, FITTING = 0.0, 0.05, 0.3, 0.65


class ProgressNote:
    """Writes how far a run is into its row, at most once a second within a stage; raises TrainingCanceled
    once somebody canceled it."""

    def __init__(self, run: ModelRun) -> None:
        self._run = run

    def stage(self, words: str, start: float, stop: float) -> Callable[[float], None]:
        """Begins a stage; the answer hears its finished share."""
        self._save(start, words)
        written_at = time.monotonic()

        def hear(share: float) -> None:
            nonlocal written_at
            if time.monotonic() - written_at >= SECONDS_BETWEEN_NOTES:
                written_at = time.monotonic()
                self._save(start + (stop - start) * min(max(share, 0.0), 1.0), words)

        return hear

    def _save(self, share: float, words: str) -> None:
        self._run.progress, self._run.progress_share = words, share
        under_way = ModelRun.objects.filter(pk=self._run.pk).exclude(status=RunStatus.CANCELED)
        if not under_way.update(progress=words, progress_share=share):
            raise TrainingCanceled


def train_and_judge(run: ModelRun, *, champion: ModelRun | None) -> Comparison:
    """Leaves metrics, artifact and items in `run` (saved by the caller). A killed training that is called
    again goes on: with the parameters already found, the same data, and from the last checkpoint.
    """
    note = ProgressNote(run)
    note.stage(gettext_noop("Reading events"), READING, TUNING)
    events, ratings = _read(run, champion)
    features = cache(lambda: load_features(events.item_ids.tolist()))
    split = time_split(events.log, new_only=not run.repeats)
    material = Material(split, ratings, features)
    if _is_to_be_tuned(run):
        hear = note.stage(gettext_noop("Trying parameters"), TUNING, COMPARING)
        _tune(run, material, hear)
    hear = note.stage(gettext_noop("Comparing on the latest events"), COMPARING, FITTING)
    judged, final = checkpoints(run)
    comparison = compare(run, champion=champion, material=material, progress=hear, checkpoint=judged)
    run.metrics = comparison.as_json()
    hear = note.stage(gettext_noop("Training on all events"), FITTING, 1.0)
    _fit(run, events, ratings, features, hear, final)
    return comparison


def checkpoints(run: ModelRun) -> tuple[Path, Path]:
    """Files of a long fit, of the judged model and of the final one; deleted when the run has ended."""
    folder: Path = settings.MODEL_DIR
    return folder / f".run-{run.pk}-judged.checkpoint", folder / f".run-{run.pk}-final.checkpoint"


def _read(run: ModelRun, champion: ModelRun | None) -> tuple[EventLog, Log | None]:
    """The events, and ratings in the same rows and columns where one of the models learns from them."""
    own = _model_of(run)
    models = [model for model in (own, _champion_model(champion)) if model is not None]
    # What a first attempt saw; the checkpoints belong to it.
    until = run.data_until + timedelta(seconds=1) if run.attempts > 1 and run.data_until else None
    events = load_events(
        event_weights=run.event_weights, until=until, with_context=any(m.uses_context for m in models)
    )
    ratings = None
    if any(model.is_explicit for model in models):
        found = load_ratings(until=until)
        if own is not None and own.is_explicit and not len(found.log):
            raise TrainingError(
                _('There are no ratings: this model learns from "Product Rated" events with a rating.')
            )
        events, ratings = _aligned(events if len(events.log) else found, found)
    if not len(events.log):
        raise TrainingError(_("There are no events on items to learn from."))
    if ratings is None and any(model.uses_features for model in models):
        events = with_catalog(events)
    _note_data(run, events)
    return events, ratings


def _aligned(events: EventLog, rated: EventLog) -> tuple[EventLog, Log]:
    """Both in the rows and columns of all customers and items of either."""
    customers = np.union1d(events.customer_ids, rated.customer_ids)
    items = np.union1d(events.item_ids, rated.item_ids)
    logs = [
        replace(
            found.log,
            users=np.searchsorted(customers, found.customer_ids)[found.log.users],
            items=np.searchsorted(items, found.item_ids)[found.log.items],
            shape=(len(customers), len(items)),
        )
        for found in (events, rated)
    ]
    return EventLog(logs[0], customers, items), logs[1]


def _model_of(run: ModelRun) -> algorithms.Recommender | None:
    """None while `auto` has not chosen; nothing that it chooses from needs more than events."""
    return None if run.algorithm == AUTO else algorithms.get(run.algorithm)(**run.parameters)


def _champion_model(champion: ModelRun | None) -> algorithms.Recommender | None:
    try:
        return _model_of(champion) if champion is not None else None
    except (algorithms.UnknownAlgorithmError, TypeError, ValueError):
        return None


def _is_to_be_tuned(run: ModelRun) -> bool:
    return not run.tuning and (run.algorithm == AUTO or run.budget_seconds is not None)


def _tune(run: ModelRun, material: Material, hear: Callable[[float], None]) -> None:
    names, split = candidates(new_only=not run.repeats), material.split
    if run.algorithm != AUTO:
        names = [run.algorithm]
        model = algorithms.get(run.algorithm)(**run.parameters)
        split = material.split_for(model)
    found = tune(
        names,
        split,
        seconds=run.budget_seconds or DEFAULT_SECONDS,
        metric=run.metric,
        parameters=run.parameters,
        features=material.features() if any(algorithms.get(name).uses_features for name in names) else None,
        progress=hear,
    )
    if found is None:
        raise TrainingError(_("No try succeeded on the validation slice; there may be too few events."))
    run.algorithm, run.parameters, run.tuning = found.algorithm, found.parameters, _stored(found)
    run.save(update_fields=["algorithm", "parameters", "tuning"])


def _stored(found: Tuned) -> dict[str, object]:
    trials = [
        {
            "algorithm": trial.algorithm, "parameters": trial.parameters, "value": trial.value,
            "seconds": round(trial.seconds, 2), "error": trial.error,
        }
        for trial in found.trials
    ]  # fmt: skip
    return {"metric": found.metric, "value": found.value, "trials": trials}


def _fit(
    run: ModelRun,
    events: EventLog,
    ratings: Log | None,
    features: Callable[[], algorithms.ItemFeatures],
    hear: Callable[[float], None],
    checkpoint: Path,
) -> None:
    model = algorithms.get(run.algorithm)(**run.parameters)
    use_ratings = model.is_explicit and ratings is not None
    model.fit(
        ratings.ratings() if use_ratings and ratings is not None else events.log.interactions(),
        features=features() if model.uses_features else None,
        progress=hear,
        checkpoint=checkpoint,
    )
    name = f"{run.algorithm}-{run.pk}.npz"
    # Serving folds in fresh histories: nobody's rows need to lie in the file.
    run.artifact_sha256 = model.save(settings.MODEL_DIR / name, with_histories=False)
    run.artifact = name
    run.item_ids = events.item_ids.tolist()
    run.popular_by_trait = popular_by_trait(events)


def _note_data(run: ModelRun, events: EventLog) -> None:
    times = events.log.timestamps
    run.data_from = datetime.fromtimestamp(int(times.min()), tz=UTC)
    run.data_until = datetime.fromtimestamp(int(times.max()), tz=UTC)
    run.n_users, run.n_items = events.log.shape
    run.n_interactions = len(times)
    run.save(update_fields=["data_from", "data_until", "n_users", "n_items", "n_interactions"])
