"""The metrics of a new installation. Names are stored in English and translated where they are shown."""

from typing import Any

from django.utils.translation import gettext_noop

from experiments.models import Direction, MetricRole, MetricScope

DEFAULT_METRICS: list[dict[str, Any]] = [
    {
        "key": "revenue",
        "name": gettext_noop("Revenue"),
        "kind": "revenue",
        "event": "Order Completed",
        "role": MetricRole.PRIMARY,
        "position": 0,
    },
    {
        "key": "conversion",
        "name": gettext_noop("Customers who ordered"),
        "kind": "conversion",
        "event": "Order Completed",
        "position": 1,
    },
    {
        "key": "opened",
        "name": gettext_noop("Customers who opened"),
        "kind": "conversion",
        "event": "Message Opened",
        "scope": MetricScope.EXPERIMENT,
        "position": 2,
    },
    {
        "key": "clicked",
        "name": gettext_noop("Customers who clicked"),
        "kind": "conversion",
        "event": "Message Clicked",
        "scope": MetricScope.EXPERIMENT,
        "position": 3,
    },
    {
        "key": "replied",
        "name": gettext_noop("Customers who replied"),
        "kind": "conversion",
        "event": "Message Replied",
        "scope": MetricScope.EXPERIMENT,
        "position": 4,
    },
    {
        "key": "unsubscribed",
        "name": gettext_noop("Customers who unsubscribed"),
        "kind": "conversion",
        "event": "Message Unsubscribed",
        "scope": MetricScope.EXPERIMENT,
        "direction": Direction.DOWN,
        "role": MetricRole.GUARDRAIL,
        "margin": 0.002,
        "position": 5,
    },
]
