"""What privacy does on its own. Rows say what is to be done; a task carries ids at most."""

from celery import shared_task

from personalization.access.jobs.work import lost_jobs, run_job
from personalization.privacy import backup_keys, kept_exports, opt_in, requests, retention
from personalization.privacy.models import PersonExport


@shared_task
def mail_opt_ins() -> None:
    opt_in.mail_waiting()


@shared_task
def carry_out(request_id: int) -> None:
    requests.carry_out(request_id)


@shared_task
def carry_out_waiting() -> None:
    """Those whose own task was lost with the broker."""
    for request_id in requests.waiting_ids():
        requests.carry_out(request_id)


@shared_task
def run_retention() -> None:
    # Below the time after which the broker would give the task to a second worker.
    retention.run_rules(seconds=540.0)


@shared_task
def destroy_backup_keys() -> None:
    backup_keys.destroy_old_keys()


@shared_task
def run_export(export_id: int) -> None:
    run_job(PersonExport, export_id, kept_exports.make_export)


@shared_task
def start_exports() -> None:
    """Whose task was lost or whose worker died; old ones are forgotten."""
    kept_exports.forget_old_exports()
    for export_id in lost_jobs(PersonExport):
        run_export.delay(export_id)
