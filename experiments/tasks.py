"""Celery's entrances: exposures that clients reported are read, results of experiments are made."""

import structlog
from celery import shared_task
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from experiments import analyses
from experiments.exposures import take_in_exposed
from experiments.models import Experiment

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
    """Hands over analyses whose task was lost."""
    for analysis_id in analyses.lost_ids():
        analyse.delay(analysis_id)


def wish(experiment: Experiment, *, force: bool = False) -> bool:
    """Asks for a fresh result and hands it to a worker; whether one had to be. Without a broker the clock
    does it later.
    """
    row = analyses.ask(experiment, force=force)
    if row is None:
        return False
    transaction.on_commit(lambda: _hand_over(row.pk))
    return True


def _hand_over(analysis_id: int) -> None:
    try:
        analyse.delay(analysis_id)
    except OperationalError:
        log.warning("broker_unreachable")
