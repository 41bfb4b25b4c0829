"""Imports in the background, on the queue `ingest`. Arguments are ids; the truth is in the rows."""

from celery import shared_task

from personalization.sources import pulling, running, services


@shared_task
def run_import(import_id: int) -> None:
    """Running it twice does no harm: the row names one worker."""
    running.run_import(import_id, rejects=services.rejects_path(import_id))


@shared_task
def pull_source(source_id: int) -> None:
    """Running it twice does no harm: the second finds the lease taken."""
    pulling.pull(source_id)


@shared_task
def tick() -> None:
    """Starts what waits, and deletes files that were kept long enough."""
    for import_id in running.waiting_imports():
        run_import.delay(import_id)
    for source_id in pulling.due_sources():
        pull_source.delay(source_id)
    services.delete_old_files()
