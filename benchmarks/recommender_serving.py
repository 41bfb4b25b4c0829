"""Lists for a campaign and for one customer, from events in PostgreSQL to reasons: how fast, how flat in
memory, and whether any rule leaks. Beside it, in the same run, the physical limit: the bare product of the
same model and the k best of each row, without histories, rules or reasons.

`--data DIR` (of MovieLens-100K, with u.data and u.item) also shows there what diversity costs.
"""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from _run import parse_args, peak_mib, report, restart_peak, timed
from _sending import own_database

K = 20
SIZES = {False: (100_000, 10_000, 1_000_000), True: (10_000, 2_000, 100_000)}
MODELS = ("als", "item_knn")
REQUESTS = {False: 400, True: 150}
LISTS_TO_CHECK = {False: 1_000_000, True: 20_000}


def add(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, help="folder of MovieLens-100K")


def main() -> None:
    args = parse_args(__doc__, add=add)
    with own_database("serving"):
        figures, ratios = measure(args)
    report("recommender_serving", figures, ratios, args=args, packages=("numpy", "implicit", "numba"))


def measure(args: Namespace) -> tuple[dict[str, object], dict[str, float]]:
    from _serving_checker import Checker
    from _serving_data import make_events, store
    from _serving_goals import goals, show

    made = make_events(*SIZES[args.quick])
    start = time.perf_counter()
    customers, items = store(made)
    print(
        f"{made.shape} customers and items, {len(made.users):,} events"
        f" stored in {time.perf_counter() - start:.0f} s"
    )
    figures: dict[str, object] = {
        "customers": made.shape[0], "items": made.shape[1], "events": len(made.users), "k": K,
    }  # fmt: skip
    ratios: dict[str, float] = {}
    for name in MODELS:
        served = crown(name)
        figures[name] = batch(served, customers, ratios)
    crown("als")
    figures["one_customer"] = one_customer(customers, items, REQUESTS[args.quick])
    quality(args, figures, ratios)
    figures["leaks"] = check_rules(Checker(), customers, items, LISTS_TO_CHECK[args.quick])
    found = list(goals(figures, ratios, MODELS))
    show(found)
    figures["goals"] = {goal.what: {"goal": goal.goal, "is_reached": goal.is_reached} for goal in found}
    return figures, ratios


def crown(name: str) -> Any:
    """Trains on what the database holds and makes the model the champion, without the evidence."""
    from django.conf import settings
    from django.utils import timezone

    from recommender import algorithms
    from recommender.inputs.interactions import DEFAULT_EVENT_WEIGHTS, load_events
    from recommender.models import ModelRun, RunStatus
    from recommender.serving import serve_champion
    from recommender.traits import popular_by_trait

    events = load_events()
    model = algorithms.get(name)()
    seconds = timed(lambda: model.fit(events.log.interactions()))
    digest = model.save(settings.MODEL_DIR / f"{name}.npz", with_histories=False)
    ModelRun.objects.filter(is_champion=True).update(is_champion=False)
    ModelRun.objects.create(
        algorithm=name, event_weights=DEFAULT_EVENT_WEIGHTS, status=RunStatus.DONE, artifact=f"{name}.npz",
        artifact_sha256=digest, item_ids=events.item_ids.tolist(), is_champion=True,
        promoted_at=timezone.now(), popular_by_trait=popular_by_trait(events),
    )  # fmt: skip
    print(f"{name}: fitted in {seconds:.1f} s", flush=True)
    return serve_champion()


def rule_sets(items: list[int]) -> Iterator[Any]:
    from recommender.ranking.rules import Rules

    usual = {"price_min": Decimal(2), "not_categories": ("topic 7",), "max_per_category": 3}
    yield Rules(**usual)
    yield Rules()
    yield Rules(**usual, pinned=(items[5], items[57]), not_items=tuple(items[:20]))
    yield Rules(bought="only", max_per_category=2)
    yield Rules(bought="allow", categories=("hall 1", "hall 2"), diversity=0.7, max_per_category=4)
    yield Rules(brands=("brand 1", "brand 2"), price_max=Decimal("60.5"))
    yield Rules(**usual, diversity=0.5)
    yield Rules(categories=("topic 3 shelf 1",), max_per_category=20)
    yield Rules(bought="allow", max_per_category=1, price_min=Decimal(10), price_max=Decimal(80))
    yield Rules(**usual, brands=tuple(f"brand {n}" for n in range(12)))


def messages(customers: list[int], items: list[int]) -> dict[int, list[int]]:
    """What stood in the last messages of every third customer: six items that are popular."""
    return {
        customer: items[at % 40 : at % 40 + 240 : 40] for at, customer in enumerate(customers) if at % 3 == 0
    }


def batch(served: Any, customers: list[int], ratios: dict[str, float]) -> dict[str, object]:
    from recommender import selectors
    from recommender.ranking.rules import Rules

    items = served.item_ids.tolist()
    rules, left_out, none = next(rule_sets(items)), messages(customers, items), Rules(bought="allow")

    def run(some: list[int], rules: Any, left_out: dict[int, list[int]]) -> None:
        for _ in selectors.recommend_lists(some, k=K, rules=rules, left_out=left_out):
            pass

    run(customers[:5_000], rules, left_out)
    name, n = served.model.name, len(customers)
    seconds, peaks = {}, {}
    for size in (n // 10, n):
        before = restart_peak()
        processor = time.process_time()
        seconds["with_rules"] = timed(lambda some=customers[:size]: run(some, rules, left_out))
        seconds["with_rules, of this process's cores"] = time.process_time() - processor
        peaks[str(size)] = round(peak_mib() - before)
    seconds["limit"] = timed(lambda: bare(served, customers))
    seconds["without_rules"] = timed(lambda: run(customers, none, {}))
    ratios[f"{name}, seconds over the limit"] = seconds["with_rules"] / seconds["limit"]
    print(
        f"{name}: {n:,} lists of {K} in {seconds['with_rules']:.1f} s with rules,"
        f" {seconds['without_rules']:.1f} s"
        f" without; bare product and k best {seconds['limit']:.1f} s; peak MiB over the start {peaks}",
        flush=True,
    )
    return {
        "seconds": {what: round(value, 2) for what, value in seconds.items()},
        "lists_per_second": round(n / seconds["with_rules"]),
        "peak_mib": peaks,
    }


def bare(served: Any, customers: list[int]) -> None:
    """Scores of ready histories by the model's own arithmetic, and argpartition: nothing around it."""
    import numpy as np
    from scipy import sparse

    model, n = served.model, len(customers)
    random = np.random.default_rng(0)
    step = max(1, 8_000_000 // model.n_items)
    for start in range(0, n, step):
        rows = min(step, n - start)
        if model.name == "als":
            vectors = random.standard_normal((rows, model.factors), dtype=np.float32)
            scores = vectors @ model._items.T
        else:
            columns = random.integers(0, model.n_items, 10 * rows)
            histories = sparse.csr_matrix(
                (np.ones(len(columns), np.float32), columns, np.arange(0, len(columns) + 1, 10)),
                shape=(rows, model.n_items),
            )
            by_item = model._weights if model.name == "ease" else model._similar.matrix
            product = histories @ by_item
            scores = product.toarray() if sparse.issparse(product) else product
        np.argpartition(-scores, K, axis=1)


def one_customer(customers: list[int], items: list[int], n: int) -> dict[str, object]:
    """Milliseconds of one list: each time after an event of a second ago, which must already count."""
    from django.conf import settings
    from django.test import Client
    from django.utils import timezone

    from personalization.access.models import Scope
    from personalization.access.services import create_key
    from personalization.catalog.models import Item
    from personalization.events.services import NewEvent, record_events
    from recommender import selectors

    settings.ALLOWED_HOSTS = ["testserver"]
    _, token = create_key(name="bench", scopes=[Scope.RECOMMENDATIONS])
    program = Client(headers={"authorization": f"Bearer {token}"})
    rules = next(rule_sets(items))
    found: dict[str, list[float]] = {"selectors": [], "endpoint": [], "after_a_change_of_stock": []}
    missed = 0
    for at in range(n):
        customer, item = customers[(at * 97) % len(customers)], items[(at * 31) % len(items)]
        event = NewEvent(
            customer, f"fresh{at}", "Order Line", timezone.now() - timedelta(seconds=1), item_id=item
        )
        record_events([event])
        start = time.perf_counter()
        shown = selectors.recommend([customer], k=K, rules=rules)[customer]
        found["selectors"].append(time.perf_counter() - start)
        missed += item in [one.item_id for one in shown] or all(one.reason_kind == "popular" for one in shown)
        body = {"customers": [f"c{(at * 97) % len(customers) + 1}"], "count": K}
        start = time.perf_counter()
        answer = program.post("/api/v1/recommendations", body, content_type="application/json")
        found["endpoint"].append(time.perf_counter() - start)
        assert answer.status_code == 200, answer.content
        Item.objects.filter(pk=item).update(stock=at % 3)
        start = time.perf_counter()
        selectors.recommend([customer], k=K, rules=rules)
        found["after_a_change_of_stock"].append(time.perf_counter() - start)
    result = {what: percentiles(seconds[3:]) for what, seconds in found.items()}
    for what, values in result.items():
        print(f"one customer, {what}: {values} ms", flush=True)
    return {**result, "fresh_events_missed": missed}


def percentiles(seconds: list[float]) -> dict[str, float]:
    import numpy as np

    return {f"p{at}": round(1e3 * float(np.percentile(seconds, at)), 1) for at in (50, 95, 99)}


def check_rules(checker: Any, customers: list[int], items: list[int], n: int) -> dict[str, float]:
    """Lists under ten sets of rules, as many of each, every entry looked at by the checker."""
    from recommender import selectors

    some = customers[: n // len(list(rule_sets(items)))]
    left_out, lists, wrong, start = messages(some, items), 0, 0, time.perf_counter()
    for rules in rule_sets(items):
        made = 0
        for found in selectors.recommend_lists(some, k=K, rules=rules, left_out=left_out):
            wrong += checker.leaks(found, rules, K, left_out)
            made += len(found)
        wrong += len(some) - made
        lists += made
    seconds = time.perf_counter() - start
    print(f"{lists:,} lists looked at in {seconds:.0f} s, {wrong} leaks", flush=True)
    return {"lists": lists, "leaks": wrong, "seconds": round(seconds, 1)}


def quality(args: Namespace, figures: dict[str, object], ratios: dict[str, float]) -> None:
    from _serving_data import make_events
    from _serving_quality import diversity_trade_off, earlier, fold_in_against_refit, made_log, movielens

    logs = [made_log(make_events(3_000, 1_000, 90_000, seed=9))]
    logs += [movielens(args.data)] if args.data else []
    for log in logs:
        by_balance, folds = diversity_trade_off(log), fold_in_against_refit(log)
        chosen_on = diversity_trade_off(earlier(log))
        figures[f"diversity, {log.name}"], figures[f"fold-in, {log.name}"] = by_balance, folds
        figures[f"diversity, {log.name}, validation"] = chosen_on
        plain, mixed = by_balance["1.0"], by_balance["0.7"]
        for what in ("ndcg", "diversity"):
            ratios[f"{what} at 0.7, {log.name}"] = mixed[what] / plain[what]
        _show_diversity(f"{log.name}, validation", chosen_on)
        _show_diversity(log.name, by_balance)
        for name, values in folds.items():
            ratios[f"{name} folded in over refit, {log.name}"] = values["folded_in"] / values["refit"]
            print(f"{log.name}: {name} " + ", ".join(f"{what} {value:.4f}" for what, value in values.items()))


def _show_diversity(name: str, by_balance: dict[str, dict[str, Any]]) -> None:
    for balance, found in by_balance.items():
        said = [
            f"{what} {found[what]:.4f} ({value:+.1%} [{low:+.1%}, {high:+.1%}])"
            for what, (value, low, high) in found["change"].items()
        ]
        print(f"{name}: λ {balance}: {', '.join(said)}")


if __name__ == "__main__":
    main()
