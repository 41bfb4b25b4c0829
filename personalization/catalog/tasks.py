from celery import shared_task

from personalization.catalog import looking


@shared_task(ignore_result=True, soft_time_limit=300, time_limit=330)
def look_at_pictures() -> None:
    looking.look_at_due()
