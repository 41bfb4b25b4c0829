"""Training in the background, on the queue `train`. Arguments are ids; the truth is in the rows."""

from celery import shared_task

from recommender import selectors, services
from recommender.ranking import own_pictures


@shared_task
def train_model(run_id: int) -> None:
    """Trains one run, then starts the next that waits. Running it twice does no harm."""
    if services.run_training(run_id):
        start_waiting()


@shared_task
def start_waiting() -> None:
    """Enqueues the runs that wait: for another one's end, or because their task was lost."""
    for run_id in selectors.waiting_run_ids():
        train_model.delay(run_id)


@shared_task(ignore_result=True, soft_time_limit=300, time_limit=330)
def encode_pictures() -> None:
    own_pictures.encode_due()
