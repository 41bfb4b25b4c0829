"""The whole way of a campaign: audience, variants, recommendations, rendering, SMTP, ledger.

    python benchmarks/send.py [--quick] [--save]

20,000 customers (--quick: 4,000) in two variants with six recommended items each from a trained item_knn,
the reference message (9 kB of HTML and its text), through one and two workers to an SMTP server on this
machine. Beside it, on the same server: a bare smtplib loop with prebuilt bytes, Django's own mail (built
and sent, one connection), django-post_office with two processes, and, as the physical limit, Postfix's
smtp-source → smtp-sink where they are installed. Ratios are ours divided by theirs. listmonk states no
rate.

`…_cpu_us` is what a message cost the processor, by whom: the workers, the sink, the whole PostgreSQL server.
"""

import os
import re
import resource
import shutil
import smtplib
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from _run import parse_args, report
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

PEER_MESSAGES = 2_000


def main() -> None:
    args = parse_args(__doc__)
    os.environ["SEND_LEASE_SECONDS"] = "20"
    with own_database("send"):
        figures = measure(4_000 if args.quick else 20_000)
    ours = figures["two_workers_per_s"]
    ratios = {
        "two_workers_to_one": ours / figures["one_worker_per_s"],
        "ours_to_smtplib": ours / figures["smtplib_prebuilt_per_s"],
        "ours_to_django": ours / figures["django_mail_per_s"],
    }
    for name in ("post_office", "smtp_source"):
        if figures[f"{name}_per_s"]:
            ratios[f"ours_to_{name}"] = ours / figures[f"{name}_per_s"]
    report("send", figures, ratios, args=args, packages=("celery", "psycopg", "python-liquid"))


def measure(recipients: int) -> dict[str, Any]:
    from django.conf import settings

    fill(recipients, items=400)
    train()
    sink = Sink()
    settings.EMAIL_URL = f"smtp://127.0.0.1:{sink.port}"
    figures: dict[str, Any] = {"recipients": recipients}
    for workers, name in ((1, "one_worker_per_s"), (2, "two_workers_per_s")):
        start = time.perf_counter()
        run = launch(bodies=(BODY, BODY), name=name)
        figures["launch_s"] = round(time.perf_counter() - start, 2)
        figures[name] = round(recipients / send(run, workers, sink, figures))
    message, address = example(run)
    figures["message_bytes"] = len(message)
    figures.update(parts(run))
    figures["smtplib_prebuilt_per_s"] = round(PEER_MESSAGES / smtplib_loop(sink.port, message, address))
    figures["django_mail_per_s"] = round(PEER_MESSAGES / 4 / django_loop(sink.port, message))
    figures["post_office_per_s"] = post_office(sink.port)
    accepted = sink.stop()
    figures["smtp_source_per_s"] = smtp_source(len(message))
    expected = 2 * recipients
    assert sum(accepted.values()) >= expected, "the server did not get every message"
    return figures


def train() -> None:
    from recommender import services

    run = services.train(algorithm="item_knn", actor="benchmark")
    services.run_training(run.pk)
    run.refresh_from_db()
    services.promote(run, actor="benchmark", reason="benchmark")


def send(run: Any, workers: int, sink: Sink, figures: dict[str, Any]) -> float:
    """Seconds until every chunk is settled; the processes start before the clock does. What the processor did
    for a message meanwhile, by whom, and what a lone worker holds in memory, go into `figures`."""
    from campaigns.models import DeliveryStatus
    from campaigns.selectors import progress

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


def smtplib_loop(port: int, message: bytes, address: str) -> float:
    start = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as client:
        for _ in range(PEER_MESSAGES):
            client.sendmail("shop@shop.example", [address], message)
    return time.perf_counter() - start


def django_loop(port: int, message: bytes) -> float:
    from django.core.mail import EmailMultiAlternatives
    from django.core.mail.backends.smtp import EmailBackend

    html = re.sub(rb"\s+", b" ", message)[:9000].decode(errors="replace")
    start = time.perf_counter()
    backend = EmailBackend(host="127.0.0.1", port=port)
    mails = []
    for number in range(PEER_MESSAGES // 4):
        mail = EmailMultiAlternatives("For you", "Hello", "shop@shop.example", [f"c{number}@example.com"])
        mail.attach_alternative(html, "text/html")
        mails.append(mail)
    backend.send_messages(mails)
    return time.perf_counter() - start


def post_office(port: int) -> int | None:
    """Messages a second of django-post_office; None where it could not be installed."""
    python = os.environ.get("PEERS_PYTHON")
    if not python:
        return None
    script = Path(__file__).with_name("_post_office.py")
    done = subprocess.run(
        [python, str(script), str(port), str(PEER_MESSAGES)], stdout=subprocess.PIPE, check=True, text=True
    )
    return int(done.stdout.split()[-1])


def smtp_source(size: int) -> int | None:
    """Messages a second of Postfix's generator into its sink; None where they are not installed."""
    paths = os.environ["PATH"] + ":/usr/sbin"
    source, sink = shutil.which("smtp-source", path=paths), shutil.which("smtp-sink", path=paths)
    if source is None or sink is None:
        print("smtp-source and smtp-sink are not installed (Debian: postfix): the ceiling is not measured")
        return None
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = ["-u", "nobody"] if os.geteuid() == 0 else []
    server = subprocess.Popen([sink, *options, f"127.0.0.1:{port}", "100"])
    try:
        time.sleep(0.3)
        n = 10_000
        start = time.perf_counter()
        subprocess.run(
            [source, "-d", "-s", "10", "-m", str(n), "-l", str(size), f"127.0.0.1:{port}"], check=True
        )
        return round(n / (time.perf_counter() - start))
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
