"""What privacy does on its own. Rows say what is to be done; a task carries ids at most."""

from celery import shared_task

from personalization.privacy import opt_in


@shared_task
def mail_opt_ins() -> None:
    opt_in.mail_waiting()
