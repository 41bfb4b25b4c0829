"""Workers killed with SIGKILL in the middle of a sending: is anybody lost, does anybody get it twice?

    python benchmarks/crash.py [--quick] [--save]

20,000 recipients (--quick: 2,000), two workers on a real SMTP dialogue, 20 kills at random points. The
server's own count is compared with the ledger, to the person. `lost` got nothing and are not flagged,
whatever the ledger says of them. `unknown` were handed over without an answer: flagged, never sent again;
`unknown_delivered` of them did arrive.
"""

import os
import random
import sys
import time

from _run import parse_args, report
from _sending import Sink, fill, launch, own_database, start_worker, wait_for

KILLS = 20
BODY = '<p>Hello {{ customer.first_name }}</p><a href="{{ unsubscribe_url }}">Unsubscribe</a>'


def main() -> None:
    args = parse_args(__doc__)
    recipients = 2_000 if args.quick else 20_000
    with own_database("crash"):
        figures = measure(recipients)
    report("crash", figures, {}, args=args, packages=("psycopg",))
    if figures["lost"] or figures["doubled"]:
        sys.exit(1)


def measure(recipients: int) -> dict[str, object]:
    from django.conf import settings

    from campaigns import ledger, selectors
    from campaigns.models import Delivery

    sink = Sink()
    settings.EMAIL_URL = f"smtp://127.0.0.1:{sink.port}"
    fill(recipients)
    run = launch(bodies=(BODY,))
    start = time.perf_counter()
    kills = kill_workers(run.pk, sink, recipients)
    seconds = time.perf_counter() - start
    ledger.finish_runs(now=run.launched_at)
    counts = selectors.progress(run)
    accepted = sink.stop()
    rows = Delivery.objects.filter(run=run).values_list("customer__email", "status")
    known = {email: status for email, status in rows}
    lost = [e for e, status in known.items() if status != "unknown" and e not in accepted]
    conserved = counts["audience"] == sum(
        counts[s] for s in ("sent", "failed", "skipped", "unknown", "pending")
    )
    return {
        "recipients": recipients,
        "lost": len(lost),
        "doubled": sum(n - 1 for n in accepted.values()),
        "unknown": counts["unknown"],
        "kills": kills,
        "unknown_delivered": sum(s == "unknown" and e in accepted for e, s in known.items()),
        "sent": counts["sent"],
        "failed": counts["failed"],
        "skipped": counts["reasons"],
        "pending": counts["pending"],
        "accepted_by_server": len(accepted),
        "outside_the_audience": len(set(accepted) - set(known)),
        "conserved": conserved and counts["pending"] == 0,
        "seconds": round(seconds, 1),
    }


def kill_workers(run_id: int, sink: Sink, recipients: int) -> int:
    """Two workers; one of them dies each time the server's count passes a random mark."""
    rng = random.Random(2026)
    marks = sorted(rng.sample(range(1, recipients - recipients // 20), KILLS))
    workers = [start_worker(run_id) for _ in range(2)]
    kills = 0
    for mark in marks:
        reached = wait_for(
            lambda mark=mark: sink.total.value >= mark or not any(w.is_alive() for w in workers), seconds=60
        )
        alive = [w for w in workers if w.is_alive()]
        if not reached or not alive:
            break
        victim = rng.choice(alive)
        os.kill(victim.pid, 9)
        victim.join()
        kills += 1
        workers[workers.index(victim)] = start_worker(run_id)
    for worker in workers:
        worker.join(120)
    return kills


if __name__ == "__main__":
    main()
