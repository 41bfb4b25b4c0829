"""Keeping the customers room tidy."""

from celery import shared_task

from personalization.customers.trait_history import prune_history


@shared_task
def prune_trait_history() -> None:
    prune_history()
