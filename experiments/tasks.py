"""Celery's entrances: exposures that clients reported are read, results of experiments are made."""

from typing import Any

import structlog
from celery import shared_task
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from experiments import jobs
from experiments.exposures import take_in_exposed
from experiments.long_runs.study import make_long_run
from experiments.models import Experiment, LongRunStudy, TargetingStudy
from experiments.reports import analyses
from experiments.targeting.study import make_study

log = structlog.get_logger(__name__)


@shared_task(ignore_result=True)
def read_exposures() -> None:
    take_in_exposed(now=timezone.now())


@shared_task(ignore_result=True)
def analyse(analysis_id: int) -> None:
    """Makes one experiment's newest result. Running it twice does no harm."""
    analyses.run(analysis_id)


@shared_task(ignore_result=True)
def start_waiting() -> None:
    """Hands over analyses and studies whose task was lost."""
    for analysis_id in analyses.lost_ids():
        analyse.delay(analysis_id)
    for study_id in jobs.lost_jobs(TargetingStudy):
        study_targeting.delay(study_id)
    for study_id in jobs.lost_jobs(LongRunStudy):
        compute_long_run.delay(study_id)


@shared_task(ignore_result=True)
def study_targeting(study_id: int) -> None:
    jobs.run_job(TargetingStudy, study_id, make_study)


@shared_task(ignore_result=True)
def compute_long_run(study_id: int) -> None:
    jobs.run_job(LongRunStudy, study_id, make_long_run)


def hand_over(task: Any, row_id: int) -> None:
    """Once the row is committed. Without a broker the clock does it later."""
    transaction.on_commit(lambda: _hand_over(task, row_id))


def wish(experiment: Experiment, *, force: bool = False) -> bool:
    """Asks for a fresh result and hands it to a worker; whether one had to be. Without a broker the clock
    does it later.
    """
    row = analyses.ask(experiment, force=force)
    if row is None:
        return False
    hand_over(analyse, row.pk)
    return True


def _hand_over(task: Any, row_id: int) -> None:
    try:
        task.delay(row_id)
    except OperationalError:
        log.warning("broker_unreachable")
