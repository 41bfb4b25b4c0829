"""The simulated customers at their devices: they read real mail and call the product's public addresses.

Nothing here writes to the database. Orders go through the ingestion endpoint with an API key, opens, clicks
and unsubscribes through the addresses found in the mail.
"""

import base64
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener, urlopen

from django.conf import settings

from personalization.demo.reactions import Action
from personalization.demo.reading import own_address
from personalization.demo.rows import CURRENCY
from personalization.demo.world import World

TIMEOUT_SECONDS = 10
BATCH = 100
THREADS = 4
AGENT = "Mozilla/5.0 (Bespoke demo shop; simulated customer)"


@dataclass(frozen=True)
class Done:
    opened: int = 0
    clicked: int = 0
    unsubscribed: int = 0
    ordered: int = 0
    failed: int = 0


class _StayHere(HTTPRedirectHandler):
    """Follows redirects within this installation only: a simulated customer visits no stranger's site."""

    def __init__(self, site_url: str) -> None:
        self.site_url = site_url

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        if not own_address(newurl, site_url=self.site_url):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Shoppers:
    def __init__(self, world: World, *, key: str, site_url: str = "") -> None:
        self.world = world
        self.site_url = site_url or settings.SITE_URL
        self.opener = build_opener(_StayHere(self.site_url))
        self.authorization = "Basic " + base64.b64encode(f"{key}:".encode()).decode()

    def act(self, actions: Iterable[Action]) -> Done:
        """Carries out actions that are due; failures are counted, not raised: one lost open stops nobody."""
        ordered = sorted(actions, key=lambda action: action.due_at)
        visits = [action for action in ordered if action.kind != "order"]
        events = [self._viewed(a) for a in visits if a.kind == "click" and a.items]
        orders = [self._order(a) for a in ordered if a.kind == "order"]
        # First what can be sent again without harm: when the shop is away, nothing was done at all.
        self._send([*events, *orders])
        with ThreadPoolExecutor(THREADS) as pool:
            results = list(pool.map(self._visit, visits))
        counts = {
            kind: sum(ok for action, ok in zip(visits, results, strict=True) if action.kind == kind)
            for kind in ("open", "click", "unsubscribe")
        }
        return Done(counts["open"], counts["click"], counts["unsubscribe"], len(orders), results.count(False))

    def _visit(self, action: Action) -> bool:
        if not own_address(action.url, site_url=self.site_url):
            return False
        data = b"List-Unsubscribe=One-Click" if action.kind == "unsubscribe" else None
        request = Request(action.url, data=data, headers={"User-Agent": AGENT})  # noqa: S310 (own_address)
        try:
            with self.opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                answer.read()
            return True
        except HTTPError as error:
            return 300 <= error.code < 400  # sent on to somewhere else: the click was made
        except (OSError, HTTPException):
            return False

    def _send(self, events: list[dict[str, Any]]) -> None:
        """Raises OSError when the shop's own endpoint does not take the events; the caller tries again."""
        for start in range(0, len(events), BATCH):
            body = json.dumps({"batch": events[start : start + BATCH]}).encode()
            request = Request(  # noqa: S310 (our own endpoint)
                f"{self.site_url}/v1/batch", data=body,
                headers={"Authorization": self.authorization, "Content-Type": "application/json"},
            )  # fmt: skip
            with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                answer.read()

    def _order(self, action: Action) -> dict[str, Any]:
        items, name = (
            self.world.items,
            f"demo-{self.world.seed}-r{action.run}-c{action.customer}-{action.name}",
        )
        products = [
            {
                "product_id": items.external_id[row],
                "price": round(float(items.price[row]), 2),
                "quantity": action.items.count(row),
            }
            for row in dict.fromkeys(action.items)
        ]
        total = sum(float(items.price[row]) for row in action.items)
        properties = {
            "order_id": name, "currency": CURRENCY, "total": round(total, 2), "revenue": round(total, 2),
            "products": products,
        }  # fmt: skip
        return self._track(action, "Order Completed", name, properties)

    def _viewed(self, action: Action) -> dict[str, Any]:
        name = f"demo-{self.world.seed}-r{action.run}-c{action.customer}-view"
        item = self.world.items.external_id[action.items[0]]
        return self._track(action, "Product Viewed", name, {"product_id": item})

    def _track(self, action: Action, event: str, name: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "track", "event": event, "messageId": name,
            "userId": self.world.customers.external_id[action.customer],
            "timestamp": min(action.due_at, datetime.now(UTC)).isoformat(), "properties": properties,
        }  # fmt: skip


class Inbox:
    """Reads the mail catcher's feed from where it stopped; a restarted catcher begins again at 1."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.after = 0

    def new(self) -> list[dict[str, Any]]:
        """Messages with number, received_at and raw. Empty when the catcher does not answer."""
        found: list[dict[str, Any]] = []
        while True:
            try:
                address = f"{self.url}/messages.json?after={self.after}&limit=500&raw=1"
                with urlopen(address, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 (setting)
                    page = json.load(answer)
            except (OSError, HTTPException, ValueError):
                return found
            if page["accepted"] < self.after:
                self.after = 0
                continue
            if not page["messages"]:
                return found
            found += page["messages"]
            self.after = page["messages"][-1]["number"]


class Memory:
    """Until when everything due was done; kept in a file, so that a restart neither repeats nor forgets."""

    def __init__(self, path: Path, *, now: datetime) -> None:
        self.path = path
        try:
            self.done_until = datetime.fromisoformat(path.read_text().strip())
        except (OSError, ValueError):
            self.keep(now)

    def keep(self, done_until: datetime) -> None:
        self.done_until = done_until
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(done_until.isoformat())
        fresh.replace(self.path)
