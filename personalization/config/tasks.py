"""The task that beat sends so that its arrival can be seen."""

from celery import shared_task

from personalization.config.heartbeat import note_heartbeat


@shared_task
def heartbeat() -> None:
    note_heartbeat()
