"""Celery's entrances: exposures that clients reported are read, results of experiments are made."""

from celery import shared_task
from django.utils import timezone

from experiments.exposures import take_in_exposed
from experiments.long_runs.study import make_long_run
from experiments.models import Experiment, LongRunStudy, TargetingStudy
from experiments.reports import analyses
from experiments.targeting.study import make_study
from personalization.access.jobs.work import hand_over, lost_jobs, run_job


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
    for study_id in lost_jobs(TargetingStudy):
        study_targeting.delay(study_id)
    for study_id in lost_jobs(LongRunStudy):
        compute_long_run.delay(study_id)


@shared_task(ignore_result=True)
def study_targeting(study_id: int) -> None:
    run_job(TargetingStudy, study_id, make_study)


@shared_task(ignore_result=True)
def compute_long_run(study_id: int) -> None:
    run_job(LongRunStudy, study_id, make_long_run)


def wish(experiment: Experiment, *, force: bool = False) -> bool:
    """Asks for a fresh result and hands it to a worker; whether one had to be. Without a broker the clock
    does it later.
    """
    row = analyses.ask(experiment, force=force)
    if row is None:
        return False
    hand_over(analyse, row.pk)
    return True
