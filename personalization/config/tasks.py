"""A sign of life that needs all three: beat sends it, Redis carries it, a worker runs it."""

import time

from celery import shared_task
from django.core.cache import cache

HEARTBEAT_KEY = "heartbeat"


@shared_task
def heartbeat() -> None:
    """Notes the time, in seconds since 1970, for `manage.py doctor`."""
    cache.set(HEARTBEAT_KEY, time.time(), timeout=24 * 3600)
