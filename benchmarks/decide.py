"""The decide API under load: a visitor's content with six recommended items out of 10,000.

Requests leave on a fixed schedule, answered or not, and are timed from when they should have left, over real
sockets. Beside it, in the same way, a page that only says that the server is there
(`/healthz`): what the server itself costs. `left_late_p99_ms` is how late requests left: the generator's own
part, or a connection that still waited for its last answer. `web_cpu_ms`: of a core, for one decision, in the
web processes. Server, load and engines share the machine.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from argparse import Namespace
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from _run import ROOT, parse_args, report
from _sending import own_database

RATE, QUICK_RATE = 200, 50
SECONDS, QUICK_SECONDS = 30, 5
SIZES = {False: (20_000, 10_000, 600_000), True: (2_000, 1_000, 30_000)}
CONNECTIONS = 32
BODY = (
    "<h2>{% if customer.city %}In {{ customer.city }}{% endif %} for you</h2>"
    '{% for item in items %}<a href="{{ item.url }}">{{ item.name }} {{ item.price }}'
    "<i>{{ item.reason }}</i></a>{% endfor %}"
)


def main() -> None:
    if sys.argv[1:2] == ["--load"]:
        print(json.dumps(load(*json.loads(sys.argv[2]))))
        return
    args = parse_args(__doc__)
    with own_database("decide"):
        figures, ratios = measure(args)
    report("decide", figures, ratios, args=args, packages=("granian", "djangorestframework"))


def measure(args: Namespace) -> tuple[dict[str, object], dict[str, float]]:
    n_customers, token = furnish(SIZES[args.quick])
    rate, seconds = (QUICK_RATE, QUICK_SECONDS) if args.quick else (RATE, SECONDS)
    port, server = serve()
    try:
        warm_up(port, token, n_customers, rate)
        before = count_seen()
        limit = run_load(port, "healthz", token, n_customers, rate, seconds)
        used = cpu_seconds(server.pid)
        decided = run_load(port, "decide", token, n_customers, rate, seconds)
        decided["web_cpu_ms"] = round(1e3 * (cpu_seconds(server.pid) - used) / decided["answered"], 2)
        written = count_seen() - before
        down = run_down(port, token, n_customers)
    finally:
        server.terminate()
        server.wait()
    shown = decided["reasons"].get("chosen", 0) + decided["reasons"].get("control", 0)
    for name, found in (("healthz", limit), ("decide", decided), ("database locked", down)):
        print(f"{name:16} {found}", flush=True)
    print(f"{shown} shown, {written} written down as seen")
    figures: dict[str, object] = {
        "rate": rate, "healthz": limit, "decide": decided, "database_locked": down, "shown": shown,
        "written_down": written,
    }  # fmt: skip
    return figures, {f"{p} over healthz": decided[p] / limit[p] for p in ("p50_ms", "p99_ms")}


def furnish(size: tuple[int, int, int]) -> tuple[int, str]:
    """A shop with a champion, one placement, one offer in two variants; answers the customers and a key."""
    from _serving_data import make_events, store
    from django.core.management import call_command
    from django.utils import timezone
    from recommender_serving import crown

    from campaigns.onsite import services
    from campaigns.onsite.models import Order
    from campaigns.onsite.services import ContentDraft, OfferDraft
    from personalization.access.models import Scope
    from personalization.access.services import create_key

    call_command("migrate", verbosity=0)
    customers, _ = store(make_events(*size))
    crown("als")
    placement = services.save_placement(
        None, key="hero", name="Hero", fallback="<p>Welcome</p>", order=Order.PRIORITY, actor="bench"
    )
    contents = [ContentDraft("a", BODY), ContentDraft("b", BODY, item_count=4)]
    offer = services.save_offer(None, OfferDraft(placement, "For you", contents), by=None, actor="bench")
    services.start_offer(offer, at=timezone.now(), actor="bench")
    _, token = create_key(name="bench", scopes=[Scope.DECIDE])
    return len(customers), token


def serve() -> tuple[int, "subprocess.Popen[bytes]"]:
    from personalization.config.supervisor.ports import free_port

    port = free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "2", "--blocking-threads", "4", "--log-level", "warning",
        "personalization.config.web:application",
    ]  # fmt: skip
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "ALLOWED_HOSTS": "127.0.0.1"})
    for _ in range(300):
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return port, server
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def cpu_seconds(pid: int) -> float:
    """Of the process and its children, by the kernel's count."""
    of_threads = Path(f"/proc/{pid}/task").glob("*/children")
    children = [child for one in of_threads for child in one.read_text().split()]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for child in children)


def warm_up(port: int, token: str, n: int, rate: float) -> None:
    """The first calls of a process compile and fill caches, too late for anybody; then it pauses for 2 s."""
    for _ in range(10):
        reasons = run_load(port, "decide", token, n, rate, 3.0)["reasons"]
        if not reasons.get("unavailable"):
            return
        time.sleep(2.5)
    raise SystemExit(f"the server does not get warm: {reasons}")


def run_load(port: int, what: str, token: str, n: int, rate: float, seconds: float) -> dict[str, Any]:
    """`load` in a process of its own."""
    command = [sys.executable, __file__, "--load", json.dumps([port, what, token, n, rate, seconds])]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def load(port: int, what: str, token: str, n: int, rate: float, seconds: float) -> dict[str, Any]:
    """Requests of random customers at that rate; milliseconds from when each should have left."""
    start, total = time.perf_counter() + 0.2, int(rate * seconds)
    waits: list[float] = []
    lags: list[float] = []
    reasons: Counter[str] = Counter()
    lock = threading.Lock()

    def work(first: int) -> None:
        connection, chance = HTTPConnection("127.0.0.1", port, timeout=10), random.Random(first)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        for number in range(first, total, CONNECTIONS):
            due = start + number / rate
            time.sleep(max(due - time.perf_counter(), 0))
            lag = time.perf_counter() - due
            if what == "decide":
                body = json.dumps({"customer": f"c{chance.randint(1, n)}", "placements": ["hero"]})
                connection.request("POST", "/api/v1/decide", body, headers)
            else:
                connection.request("GET", f"/{what}")
            answer = connection.getresponse()
            raw = answer.read()
            wait = time.perf_counter() - due
            reason = json.loads(raw)["placements"][0]["reason"] if what == "decide" else str(answer.status)
            with lock:
                waits.append(wait)
                lags.append(lag)
                reasons[reason] += 1

    threads = [threading.Thread(target=work, args=(first,)) for first in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    at = {f"p{p}_ms": _percentile_ms(waits, p) for p in (50, 95, 99)}
    return {
        **at,
        "left_late_p99_ms": _percentile_ms(lags, 99),
        "answered": len(waits),
        "reasons": dict(reasons),
    }


def _percentile_ms(seconds: list[float], percent: int) -> float:
    at = min(len(seconds) * percent // 100, len(seconds) - 1)
    return round(1e3 * sorted(seconds)[at], 1)


def run_down(port: int, token: str, n: int) -> dict[str, Any]:
    """The same while the customers cannot be read: the default content, in time."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE customers_customer IN ACCESS EXCLUSIVE MODE")
        return run_load(port, "decide", token, n, 50, 3.0)


def count_seen() -> int:
    from campaigns.onsite import showing
    from personalization.events.models import Event

    while showing.move():
        pass
    return Event.objects.filter(name="Message Opened").count()


if __name__ == "__main__":
    main()
