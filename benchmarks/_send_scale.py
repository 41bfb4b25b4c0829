"""What a large campaign takes beside its speed: the time of its launch, and the memory of a worker."""

import resource
import time
from typing import Any

from _reference_mail import BODY
from _send_peers import smtp_source_to
from _sending import Sink, fill, launch, postgres_cpu_seconds, resident_mb, start_worker

LAUNCHED = 1_000_000
DELIVERED = 200_000
FIFTHS = 5
SLOW = 4_000
DELAY = 0.02  # seconds


def measure_launch(people: int) -> dict[str, Any]:
    """An audience of so many in two variants, frozen: one row for everyone."""
    from campaigns.models import Delivery
    from personalization.catalog.models import Item

    fill(people)
    Item.objects.create(external_id="i1", name="Item 1")  # a message about items is not launched without any
    start, before, asked = time.perf_counter(), _cpu_seconds(), postgres_cpu_seconds()
    run = launch(bodies=(BODY, BODY))
    seconds, worked = time.perf_counter() - start, _cpu_seconds() - before
    answered = postgres_cpu_seconds()
    of_postgres = None if asked is None or answered is None else round(answered - asked, 1)
    shares = Delivery.objects.filter(run=run).values_list("variant__key", flat=True)
    by_variant = {key: sum(one == key for one in shares) for key in sorted(set(shares))}
    assert sum(by_variant.values()) == people, by_variant
    return {
        "people": people, "launch_s": round(seconds, 1), "launch_own_cpu_s": round(worked, 1),
        "launch_postgres_cpu_s": of_postgres, "by_variant": by_variant, "launch_mb": round(_peak_mb()),
    }  # fmt: skip


def measure_memory(deliveries: int) -> dict[str, Any]:
    """Megabytes of one worker, each time another fifth of the messages was taken. It never ends between
    chunks, as a worker of Celery would after some hundred tasks."""
    from django.conf import settings

    sink = Sink()
    settings.EMAIL_URL = f"smtp://127.0.0.1:{sink.port}"
    run = launch(bodies=(BODY, BODY))
    worker = start_worker(run.pk)
    held = []
    for fifth in range(1, FIFTHS + 1):
        # Of the last fifth nearly all: a worker that has ended holds nothing.
        mark = deliveries * (fifth - 0.05) / FIFTHS
        while sink.total.value < mark and worker.is_alive():
            time.sleep(0.1)
        held.append(resident_mb(worker.pid) or 0)
    worker.join()
    accepted = sink.stop()
    assert set(accepted.values()) == {1} and len(accepted) == deliveries, len(accepted)
    return {"deliveries": deliveries, "worker_mb_by_fifths": held}


def measure_slow(people: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Messages a second to a server that answers after 20 ms, by two workers with five connections each and
    with one each, and by Postfix's generator over ten. `possible_per_s`: what ten connections carry at one
    journey a message."""
    from django.conf import settings

    figures: dict[str, Any] = {"recipients": people, "delay_ms": round(DELAY * 1000)}
    sink = Sink(delay=DELAY)
    settings.EMAIL_URL = f"smtp://127.0.0.1:{sink.port}"
    for connections in (1, 5):
        settings.SEND_CONNECTIONS = connections
        run = launch(bodies=(BODY, BODY), name=f"{connections} connections")
        start = time.perf_counter()
        workers = [start_worker(run.pk) for _ in range(2)]
        for worker in workers:
            worker.join()
        figures[f"connections_{connections}_per_s"] = round(people / (time.perf_counter() - start))
    figures["possible_per_s"] = round(2 * 5 / DELAY)
    ratios = {
        "five_to_one": figures["connections_5_per_s"] / figures["connections_1_per_s"],
        "to_possible": figures["connections_5_per_s"] / figures["possible_per_s"],
    }
    if peer := smtp_source_to(sink.port, 13_000, messages=people // 4):
        figures["smtp_source_per_s"] = peer
        ratios["to_smtp_source"] = figures["connections_5_per_s"] / peer
    assert set(sink.stop().values()) >= {2}
    return figures, ratios


def _cpu_seconds() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
