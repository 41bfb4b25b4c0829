"""What the access room does on its own."""

from celery import shared_task

from personalization.access import sealing


@shared_task
def seal_logs() -> None:
    sealing.seal_logs()
