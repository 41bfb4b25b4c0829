"""Kevin Hillstrom's e-mail test of 64,000 customers (MineThatData, 2008), sent in through the public API.

Each row of the file becomes a customer with traits, an assignment, and the events the row tells of: a visit,
an order with what was spent. The days are made up: the file has none.
"""

import csv
import json
import lzma
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from experiments.models import Metric, MetricRole
from personalization.demo.api_client import Api

KEY = "hillstrom"
ASSIGNED_AT, HAPPENED_AT = "2008-03-06T00:00:00Z", "2008-03-13T00:00:00Z"
VARIANTS = {"No E-Mail": "none", "Mens E-Mail": "mens", "Womens E-Mail": "womens"}
TRAITS = ("recency", "history_segment", "history", "mens", "womens", "zip_code", "newbie", "channel")
COLUMNS = (*TRAITS, "segment", "visit", "conversion", "spend")
METRICS = (
    ("hillstrom-visit", "Hillstrom: visited", "conversion", "Store Visited"),
    ("hillstrom-conversion", "Hillstrom: bought", "conversion", "Order Completed"),
    ("hillstrom-spend", "Hillstrom: spend", "revenue", "Order Completed"),
)
BATCH_BYTES, ASSIGNMENTS = 400_000, 1_000
Say = Callable[[str], object]
Row = dict[str, str]


class HillstromError(Exception):
    """The file is not what it should be, or nobody analysed what was sent."""


def read_rows(path: Path) -> list[Row]:
    """Of the CSV file, packed by xz or not. Raises HillstromError."""
    try:
        with (lzma.open if path.suffix == ".xz" else open)(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise HillstromError(f"{path} cannot be read: {error}") from error
    missing = [name for name in COLUMNS if not rows or name not in rows[0]]
    if missing:
        raise HillstromError(f"{path} has no rows or lacks the columns {', '.join(missing)}.")
    if unknown := {row["segment"] for row in rows} - set(VARIANTS):
        raise HillstromError(f"{path} has segments that are not Hillstrom's: {', '.join(sorted(unknown))}.")
    return rows


def ensure_metrics() -> None:
    for position, (key, name, kind, event) in enumerate(METRICS, start=100):
        Metric.objects.get_or_create(
            key=key,
            defaults={
                "name": name, "kind": kind, "event": event, "role": MetricRole.SECONDARY,
                "position": position, "property_name": "source", "property_value": KEY,
            },
        )  # fmt: skip


def send(rows: Sequence[Row], api: Api, *, say: Say) -> None:
    """Customers, the experiment, assignments, events; sending it all again changes nothing."""
    counts = [_send_batches(api, _customers(rows)), _send_batches(api, _events(rows))]
    say(f"  {counts[0]:,} customers and {counts[1]:,} events")
    known = [one["key"] for one in _experiments(api)]
    if KEY not in known:
        names = {"none": "No E-Mail", "mens": "Mens E-Mail", "womens": "Womens E-Mail"}
        variants = [
            {"key": key, "name": name, "weight": 1, "is_control": key == "none"}
            for key, name in names.items()
        ]
        api.call("/api/v1/experiments", {"key": KEY, "name": "Hillstrom 2008", "variants": variants})
    api.call(f"/api/v1/experiments/{KEY}/start", {"at": ASSIGNED_AT})
    created = 0
    for start in range(0, len(rows), ASSIGNMENTS):
        part = [
            {
                "customer": customer_id(number),
                "variant": VARIANTS[rows[number]["segment"]],
                "assigned_at": ASSIGNED_AT,
            }
            for number in range(start, min(start + ASSIGNMENTS, len(rows)))
        ]
        answer = api.call(f"/api/v1/experiments/{KEY}/assignments", {"assignments": part})
        created += answer["created"]
    say(f"  {created:,} new assignments to three variants")


def analyse(api: Api, *, seconds: float = 300) -> dict[str, Any]:
    """Asks for groups and a fresh result, waits for it, and answers the report. Raises HillstromError."""
    path = f"/api/v1/experiments/{KEY}"
    before = api.call(f"{path}/analysis")["as_of"]
    groups = {"traits": ["womens", "mens"], "metric": METRICS[0][0]}
    api.call(f"{path}/groups", groups, method="PUT")
    give_up = time.monotonic() + seconds
    while True:
        state = api.call(f"{path}/analysis")
        if state["status"] == "failed":
            raise HillstromError(f"the analysis failed: {state['error']}")
        if state["status"] == "idle" and state["as_of"] not in (None, before):
            return api.call(f"{path}/report")
        if time.monotonic() > give_up:
            raise HillstromError("no worker made the analysis. Start the product whole: bin/run")
        time.sleep(0.5)


def group_lines(report: dict[str, Any]) -> list[str]:
    """What the report says about groups of customers."""
    found = report["breakdown"]
    if found is None:
        return []
    lines = [*found["sentences"][:1]]
    for cut in found["cuts"]:
        for group in cut["groups"]:
            if group["effect"]:
                where = f"{cut['variant']:<7} {cut['name']} = {group['label']:<3}"
                lines.append(f"{where} {group['effect']['absolute']:+.5f}")
    return lines


def customer_id(number: int) -> str:
    """The file has no ids: the row's place, from 1."""
    return f"hillstrom-{number + 1:05}"


def table(report: dict[str, Any]) -> list[str]:
    """Lines of the two tables, from the report's JSON alone."""
    metrics = [metric for metric in report["metrics"] if metric["key"] in {key for key, *_ in METRICS}]
    lines = ["arm      n       " + "".join(f"{metric['name'].split(': ')[1]:>14}" for metric in metrics)]
    for variant in report["variants"]:
        values = "".join(f"{metric['statistics'][variant['key']]['value']:>14.8f}" for metric in metrics)
        lines.append(f"{variant['key']:<8} {variant['customers']:<7,} {values}")
    lines.append("effect against none: absolute (95 % interval) p; relative (95 % interval by Fieller)")
    for metric in metrics:
        for comparison in metric["comparisons"]:
            effect = comparison["effect"]
            if effect is None:
                lines.append(f"{comparison['variant']:<7}{metric['name']}: {comparison['obstacle']}")
                continue
            low, high = effect["absolute_ci"]
            bounds = effect["relative_ci"] or [None, None]
            ends = ", ".join("–" if bound is None else f"{bound:.4f}" for bound in bounds)
            lines.append(
                f"{comparison['variant']:<7} {metric['name'].split(': ')[1]:<8} {effect['absolute']:.8f} "
                f"({low:.8f}, {high:.8f}) {effect['p_value']:.3g}; {effect['relative'] or 0:.8f} ({ends})"
            )
    ratio = report["sample_ratio"]
    lines.append(f"division of the groups: p = {ratio['p_value']:.10f}")
    return lines


def _experiments(api: Api) -> Iterator[dict[str, Any]]:
    path = "/api/v1/experiments"
    while path:
        page = api.call(path)
        yield from page["results"]
        path = (page.get("next") or "").replace(api.url.rstrip("/"), "")


def _customers(rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows):
        name = customer_id(number)
        traits = {trait: _typed(row[trait]) for trait in TRAITS}
        yield {
            "type": "identify", "messageId": f"{name}-traits", "userId": name, "traits": traits,
            "timestamp": ASSIGNED_AT,
        }  # fmt: skip


def _events(rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows):
        name = customer_id(number)
        if row["visit"] == "1":
            yield _event(name, "Store Visited", {})
        if row["conversion"] == "1":
            yield _event(name, "Order Completed", {"total": float(row["spend"]), "order_id": name})


def _event(name: str, event: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "track", "event": event, "messageId": f"{name}-{event}", "userId": name,
        "timestamp": HAPPENED_AT, "properties": {**properties, "source": KEY},
    }  # fmt: skip


def _typed(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _send_batches(api: Api, messages: Iterable[dict[str, Any]]) -> int:
    part: list[dict[str, Any]] = []
    size = sent = 0
    for message in messages:
        length = len(json.dumps(message)) + 2
        if part and size + length > BATCH_BYTES:
            sent += _send_batch(api, part)
            part, size = [], 0
        part.append(message)
        size += length
    return sent + (_send_batch(api, part) if part else 0)


def _send_batch(api: Api, part: list[dict[str, Any]]) -> int:
    answer = api.call("/v1/batch", {"batch": part})
    if refused := answer.get("errors"):
        raise HillstromError(f"The API did not take some messages: {str(refused)[:300]}")
    return len(part)
