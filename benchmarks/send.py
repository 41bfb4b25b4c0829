"""The whole way of a campaign: audience, variants, recommendations, rendering, SMTP, ledger.

    python benchmarks/send.py [--quick] [--save] [--launch | --memory | --slow]

20,000 customers (--quick: 4,000) in two variants with six recommended items each from a trained item_knn,
the reference message (9 kB of HTML and its text), through one and two workers to an SMTP server on this
machine. Beside it, on the same server: a bare smtplib loop with prebuilt bytes, Django's own mail (built
and sent, one connection), django-post_office with two processes, and, as the physical limit, Postfix's
smtp-source → smtp-sink where they are installed. All are measured in turn, three times (--quick: once);
figures are the middle ones, ratios (ours divided by theirs) the middle of those within a turn, so that what
else the machine does meets both sides. listmonk states no rate.

`…_cpu_us` is what a message cost the processor, by whom: the workers, the sink, the whole PostgreSQL server.
`with_dkim_…` is the same with two workers that sign every message (RSA, 2,048 bits).

--launch measures the launch of 1,000,000 people in two variants instead (--quick: 50,000), --memory what one
worker holds over 200,000 deliveries (--quick: 5,000), --slow the way to a server that answers after 20 ms.
"""

import argparse
import os
import resource
import statistics
import time
from typing import Any

from _run import parse_args, report
from _send_peers import PEER_MESSAGES, django_loop, post_office, smtp_source, smtplib_loop
from _send_scale import DELIVERED, LAUNCHED, SLOW, measure_launch, measure_memory, measure_slow
from _sending import (
    BODY,
    Sink,
    cpu_seconds,
    fill,
    launch,
    own_database,
    postgres_cpu_seconds,
    resident_mb,
    start_worker,
)

# Ratios of what is measured in the same turn.
RATIOS = {
    "two_workers_to_one": ("two_workers_per_s", "one_worker_per_s"),
    "ours_to_smtplib": ("two_workers_per_s", "smtplib_prebuilt_per_s"),
    "ours_to_django": ("two_workers_per_s", "django_mail_per_s"),
    "with_dkim_to_without": ("with_dkim_per_s", "two_workers_per_s"),
    "ours_to_smtp_source": ("two_workers_per_s", "smtp_source_per_s"),
    "with_dkim_to_smtp_source": ("with_dkim_per_s", "smtp_source_per_s"),
}


def main() -> None:
    args = parse_args(__doc__, add=_options)
    os.environ["SEND_LEASE_SECONDS"] = "20"
    if args.launch or args.memory or args.slow:
        scale(args)
        return
    with own_database("send"):
        figures, ratios = measure(4_000 if args.quick else 20_000, turns=1 if args.quick else 3)
    report("send", figures, ratios, args=args, packages=("celery", "psycopg", "python-liquid"))


def _options(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--launch", action="store_true", help="the launch of a large audience instead")
    which.add_argument("--memory", action="store_true", help="a worker's memory over many deliveries instead")
    which.add_argument("--slow", action="store_true", help="the way to a server far away instead")


def scale(args: argparse.Namespace) -> None:
    figures: dict[str, Any]
    ratios: dict[str, float] = {}
    with own_database("send"):
        if args.launch:
            area, figures = "send_launch", measure_launch(50_000 if args.quick else LAUNCHED)
        elif args.memory:
            deliveries = 5_000 if args.quick else DELIVERED
            prepare(deliveries)
            area, figures = "send_memory", measure_memory(deliveries)
        else:
            people = 1_000 if args.quick else SLOW
            prepare(people)
            area, (figures, ratios) = "send_slow", measure_slow(people)
    report(area, figures, ratios, args=args, packages=("psycopg",))


def prepare(people: int) -> None:
    fill(people, items=400)
    train()


def measure(recipients: int, *, turns: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Figures and ratios; those of peers that are not installed are left out."""
    from django.conf import settings

    prepare(recipients)
    sink = Sink()
    settings.EMAIL_URL = f"smtp://127.0.0.1:{sink.port}"
    found = [turn(number, recipients, sink) for number in range(turns)]
    figures: dict[str, Any] = {"recipients": recipients}
    peer = post_office(sink.port)
    accepted = sink.stop()
    assert sum(accepted.values()) >= 3 * turns * recipients, "the server did not get every message"
    for name, first in found[0].items():
        figures[name] = first if isinstance(first, list) else statistics.median(one[name] for one in found)
    ratios = {
        name: statistics.median(one[ours] / one[theirs] for one in found)
        for name, (ours, theirs) in RATIOS.items()
        if theirs in figures
    }
    if peer:
        figures["post_office_per_s"] = peer
        ratios["ours_to_post_office"] = figures["two_workers_per_s"] / peer
    return figures, ratios


def turn(number: int, recipients: int, sink: Sink) -> dict[str, Any]:
    """Each way once, one after the other."""
    figures: dict[str, Any] = {}
    for workers, name in ((1, "one_worker"), (2, "two_workers")):
        start = time.perf_counter()
        run = launch(bodies=(BODY, BODY), name=f"{name} {number}")
        figures["launch_s"] = round(time.perf_counter() - start, 2)
        figures[f"{name}_per_s"] = round(recipients / send(run, workers, sink, figures))
    message, address = example(run)
    figures.update(parts(run), message_bytes=len(message))
    if limit := smtp_source(len(message)):
        figures["smtp_source_per_s"] = limit
    figures["with_dkim_per_s"] = round(recipients / send_signed(number, sink, figures))
    figures["smtplib_prebuilt_per_s"] = round(PEER_MESSAGES / smtplib_loop(sink.port, message, address))
    figures["django_mail_per_s"] = round(PEER_MESSAGES / 4 / django_loop(sink.port, message))
    return figures


def train() -> None:
    from recommender import services

    run = services.train(algorithm="item_knn", actor="benchmark")
    services.run_training(run.pk)
    run.refresh_from_db()
    services.promote(run, actor="benchmark", reason="benchmark")


def send(run: Any, workers: int, sink: Sink, figures: dict[str, Any]) -> float:
    """Seconds until every chunk is settled, by workers that have imported all they need before, as those of a
    shop that sent yesterday. What the processor did for a message meanwhile, by whom, and what a lone worker
    holds in memory, go into `figures`."""
    from campaigns.models import DeliveryStatus
    from campaigns.selectors import progress

    example(run)
    before = spent(sink)
    start = time.perf_counter()
    processes = [start_worker(run.pk) for _ in range(workers)]
    memory = watch(processes, sink, messages=run.audience_size)
    for process in processes:
        process.join(600)
    seconds = time.perf_counter() - start
    counts = progress(run)
    assert counts[DeliveryStatus.SENT] == run.audience_size, counts
    for who, used in spent(sink).items():
        figures[f"{who}_cpu_us"] = round((used - before[who]) / run.audience_size * 1e6)
    if workers == 1:
        figures["worker_mb_by_fifths"] = memory
    return seconds


def send_signed(number: int, sink: Sink, figures: dict[str, Any]) -> float:
    """As `send`, by two workers, with an account that signs by DKIM."""
    from campaigns.senders.accounts import save_account

    server = f"smtp://127.0.0.1:{sink.port}"
    values = {"smtp_url": server, "dkim_domain": "shop.example", "dkim_selector": "s"}
    account = save_account(None, channel="email", name="Signing", values=values, actor="benchmark")
    mine: dict[str, Any] = {}
    seconds = send(launch(bodies=(BODY, BODY), name=f"signed {number}"), 2, sink, mine)
    figures["with_dkim_workers_cpu_us"] = mine["workers_cpu_us"]
    account.delete()
    return seconds


def spent(sink: Sink) -> dict[str, float]:
    """Seconds of the processor, by resource usage: honest also where others want it at the same time."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {"workers": children.ru_utime + children.ru_stime, "sink": cpu_seconds(sink.pid)}
    postgres = postgres_cpu_seconds()
    return found if postgres is None else {**found, "postgres": postgres}


def watch(processes: list[Any], sink: Sink, *, messages: int) -> list[int]:
    """Megabytes of the largest worker, each time another fifth of the messages was taken."""
    found = []
    before = sink.total.value
    for fifth in range(1, 6):
        # Of the last fifth nearly all: a worker that has ended holds nothing.
        mark = before + messages * (fifth - 0.05) / 5
        while sink.total.value < mark and any(process.is_alive() for process in processes):
            time.sleep(0.02)
        found.append(max((resident_mb(process.pid) or 0 for process in processes), default=0))
    return found


def example(run: Any) -> tuple[bytes, str]:
    from django.utils import timezone

    from campaigns import ledger
    from campaigns.channels.email import EmailChannel
    from campaigns.sending import context
    from campaigns.sending.composing import Composer

    content = context.run_content(run.pk)
    rows = _rows(run, ledger)[:1]
    composer = Composer(content, context.load(content, rows), at=timezone.now())
    session = EmailChannel().session()
    outgoing = composer.compose(rows[0], session)
    session.close()
    return outgoing.data, outgoing.address


def _rows(run: Any, ledger: Any) -> list[Any]:
    from campaigns.models import Delivery

    found = Delivery.objects.filter(run=run).order_by("pk")[:500]
    return [
        ledger.Row(pk, customer, variant, 0)
        for pk, customer, variant in found.values_list("pk", "customer_id", "variant__key")
    ]


def parts(run: Any) -> dict[str, float]:
    """Where the time of one message goes, in microseconds, measured over one chunk."""
    from django.utils import timezone

    from campaigns import ledger
    from campaigns.channels.email import EmailChannel
    from campaigns.sending import context
    from campaigns.sending.composing import Composer

    content, rows = context.run_content(run.pk), _rows(run, ledger)
    start = time.perf_counter()
    data = context.load(content, rows)
    loaded = time.perf_counter()
    composer = Composer(content, data, at=timezone.now())
    for row in rows:
        profile = data.profiles[row.customer_id]
        content.templates[row.variant].render(composer.context(row, profile, "https://shop.example/u"))
    rendered = time.perf_counter()
    session = EmailChannel().session()
    messages = [composer.compose(row, session) for row in rows]
    composed = time.perf_counter()
    for message in messages:
        assert session.send(message, intent=lambda: None).kind == "sent"
    sent = time.perf_counter()
    session.close()
    n = len(rows)
    return {
        "load_and_recommend_us": round((loaded - start) / n * 1e6),
        "render_us": round((rendered - loaded) / n * 1e6),
        "links_and_mime_us": round(((composed - rendered) - (rendered - loaded)) / n * 1e6),
        "smtp_us": round((sent - composed) / n * 1e6),
    }


if __name__ == "__main__":
    main()
