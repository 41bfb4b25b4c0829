"""Workers ask; pages wait for the row."""

from celery import shared_task

from personalization.language_model import calls


@shared_task
def answer(call_id: int) -> None:
    calls.carry_out(call_id)


@shared_task
def start_waiting() -> None:
    """Calls whose task was lost with the broker; the truth is in their rows."""
    for call_id in calls.waiting_calls():
        answer.delay(call_id)
