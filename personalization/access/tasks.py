"""What the access room does on its own."""

from celery import shared_task

from personalization.access import idempotency, sealing


@shared_task
def seal_logs() -> None:
    sealing.seal_logs()


@shared_task
def forget_old_answers() -> None:
    idempotency.forget_old_answers()
