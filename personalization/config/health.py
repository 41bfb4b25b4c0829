"""For machines that watch us: alive, ready, and figures in the Prometheus format."""

import hmac
import math

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from personalization.config.heartbeat import heartbeat_age
from personalization.config.limited import Limited
from personalization.config.queues import QUEUES

DATABASE_SECONDS = 2.5
"""Below the three seconds after which probes usually give up."""
METRICS_SECONDS = 8.0
"""Below the ten after which Prometheus does: it counts rows, which may take longer than a probe waits."""


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the process answers; asks nothing of anybody else."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database and Redis answer and no migration is missing, else 503 and which does not."""
    try:
        database = _DATABASE()
    except TimeoutError:
        database = "does not answer"
    checks = {"database": database, "redis": _redis()}
    ready = all(state == "ok" for state in checks.values())
    return JsonResponse({"status": "ok" if ready else "unavailable", **checks}, status=200 if ready else 503)


def _database() -> str:
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unreachable"
    return f"{len(missing)} migrations missing" if missing else "ok"


_DATABASE = Limited(_database, seconds=DATABASE_SECONDS)


def _redis() -> str:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except redis.RedisError:
        return "unreachable"
    return "ok"


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Counted from the tables at each scrape: right with any number of processes, and after any restart.

    Open only to callers with the METRICS_TOKEN, when one is set; without one, only to this machine.
    503 when the database does not answer, or not within METRICS_SECONDS.
    """
    if not _may_scrape(request):
        sentence = "Set METRICS_TOKEN and send it as Bearer token.\n"
        return HttpResponse(sentence, status=403, content_type="text/plain")
    try:
        figures = _FIGURES()
    except (DatabaseError, TimeoutError):
        return HttpResponse("The database does not answer.\n", status=503, content_type="text/plain")
    return HttpResponse(figures, content_type=CONTENT_TYPE_LATEST)


def _figures() -> bytes:
    registry = CollectorRegistry()
    _collect_deliveries(registry)
    _collect_waiting(registry)
    _collect_queues(registry)
    _collect_heartbeat(registry)
    return generate_latest(registry)


_FIGURES = Limited(_figures, seconds=METRICS_SECONDS)


def _may_scrape(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    is_local = request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1")
    return is_local and "X-Forwarded-For" not in request.headers


def _collect_deliveries(registry: CollectorRegistry) -> None:
    from campaigns.selectors import open_runs_by_status

    meaning = "Of runs not finished; of standing ones those that wait or are unknown"
    gauge = Gauge("bespoke_deliveries", meaning, ["status"], registry=registry)
    for status, count in open_runs_by_status().items():
        gauge.labels(status).set(count)


def _collect_waiting(registry: CollectorRegistry) -> None:
    """What is late: the figures that an alarm goes by."""
    from campaigns.selectors import seconds_overdue, webhook_calls_by_status

    late = Gauge("bespoke_send_overdue_seconds", "How long the oldest due chunk waits", registry=registry)
    late.set(seconds_overdue())
    calls = Gauge("bespoke_webhook_calls", "Calls of webhooks", ["status"], registry=registry)
    for status, count in webhook_calls_by_status().items():
        calls.labels(status).set(count)


def _collect_heartbeat(registry: CollectorRegistry) -> None:
    """NaN until beat, Redis and a worker carried one together."""
    gauge = Gauge(
        "bespoke_heartbeat_age_seconds", "Since beat, Redis and a worker last ran", registry=registry
    )
    try:
        age = heartbeat_age()
    except redis.RedisError:
        age = None
    gauge.set(math.nan if age is None else age)


def _collect_queues(registry: CollectorRegistry) -> None:
    gauge = Gauge("bespoke_queue_length", "Celery tasks waiting", ["queue"], registry=registry)
    up = Gauge("bespoke_redis_up", "1 when Redis answers", registry=registry)
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            for queue in QUEUES:
                gauge.labels(queue).set(client.llen(queue))
        up.set(1)
    except redis.RedisError:
        up.set(0)
