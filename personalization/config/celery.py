"""The Celery application: `celery -A personalization.config worker|beat`."""

import os

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_process_init, worker_process_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "personalization.config.settings")

app = Celery("bespoke", task_cls="personalization.config.task_class:BespokeTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**kwargs: object) -> None:
    """Celery's own hook, not a Django signal: an answered call leaves logging as the settings made it."""


@worker_init.connect
def load_before_work(**kwargs: object) -> None:
    from personalization.config.preload import preload

    preload()


@worker_process_init.connect
def start_telemetry(**kwargs: object) -> None:
    """After the fork: threads do not live on in a child."""
    from personalization.config import telemetry

    telemetry.start("worker")


@worker_process_shutdown.connect
def stop_telemetry(**kwargs: object) -> None:
    from personalization.config import telemetry

    telemetry.stop()
