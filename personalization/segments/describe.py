"""A definition in words, in the reader's language: every sentence is one message with places, never glued."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from personalization.customers.models import Channel
from personalization.segments import nodes
from personalization.segments.definition import parse
from personalization.segments.models import Segment
from personalization.segments.operators import OPERATORS

STANDARD_NAMES = {
    "external_id": "customer id", "email": "e-mail", "phone": "phone", "first_name": "first name",
    "last_name": "last name", "language": "language", "country": "country", "city": "city",
    "time_zone": "time zone", "created_at": "created at", "updated_at": "updated at",
}  # fmt: skip

# What shops and our own computed traits usually call something.
USUAL_NAMES = {
    "average_order_value": gettext_noop("average order value"),
    "birthday": gettext_noop("birthday"),
    "churn_probability": gettext_noop("churn probability"),
    "device": gettext_noop("device"),
    "engagement_score": gettext_noop("engagement score"),
    "favorite_category": gettext_noop("favorite category"),
    "first_order_at": gettext_noop("first order"),
    "found_us": gettext_noop("found us by"),
    "gender": gettext_noop("gender"),
    "last_order_at": gettext_noop("last order"),
    "lifetime_value": gettext_noop("lifetime value"),
    "order_count": gettext_noop("number of orders"),
    "points": gettext_noop("points"),
    "total_spent": gettext_noop("total spent"),
}


def describe(definition: object) -> str:
    """One sentence. Raises DefinitionError."""
    node = parse(definition)
    if node == nodes.All(()):
        return _("All customers.")
    return _("Customers where %(condition)s.") % {"condition": _phrase(node, nested=False)}


def describe_node(node: nodes.Node) -> str:
    """One clause in words, without a full stop."""
    return _phrase(node, nested=False) if node != nodes.All(()) else _("everyone")


def show(value: object) -> str:
    """A value of a customer as text."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = Decimal(str(value))
    if isinstance(value, Decimal):
        return formats.number_format(round(value, 2).normalize(), use_l10n=True, force_grouping=True)
    return _value(value) or str(value)


def trait_label(name: str) -> str:
    """The name of a standard trait in the reader's language; any other name as it is."""
    return _(STANDARD_NAMES[name]) if name in STANDARD_NAMES else name


def trait_title(name: str) -> str:
    """The same for a button: usual names in the reader's language too, any other with spaces."""
    usual = _(USUAL_NAMES[name]) if name in USUAL_NAMES else trait_label(name).replace("_", " ")
    return usual[:1].upper() + usual[1:]


def _phrase(node: nodes.Node, *, nested: bool = True) -> str:
    if isinstance(node, nodes.All | nodes.Any):
        pair = _("%(left)s and %(right)s") if isinstance(node, nodes.All) else _("%(left)s or %(right)s")
        joined = _joined((_phrase(child) for child in node.nodes), pair)
        return _("(%(inner)s)") % {"inner": joined} if nested and len(node.nodes) > 1 else joined
    if isinstance(node, nodes.Not):
        return _not(node)
    if isinstance(node, nodes.Trait):
        return _tested(trait_label(node.name), node.test)
    if isinstance(node, nodes.EventCondition):
        return _event(node)
    if isinstance(node, nodes.Ratio):
        subject = _("%(upper)s divided by %(lower)s") % {
            "upper": _measure(node.of), "lower": _measure(node.to),
        }  # fmt: skip
        return _tested(subject, node.test)
    if isinstance(node, nodes.ConsentCondition):
        text = _("%(channel)s about “%(topic)s” is allowed") if node.granted else _(
            "%(channel)s about “%(topic)s” is not allowed"
        )  # fmt: skip
        channels = {**dict(Channel.choices), "email": _("e-mail")}
        channel = channels.get(node.channel, node.channel)
        return text % {"channel": channel, "topic": node.topic}
    if isinstance(node, nodes.Sequence):
        return _sequence(node)
    name = Segment.objects.filter(pk=node.segment_id).values_list("name", flat=True).first()
    return _("the customer is in the segment “%(name)s”") % {"name": name or node.segment_id}


def _not(node: nodes.Not) -> str:
    inner = node.node
    if isinstance(inner, nodes.Any) and len(inner.nodes) > 1:
        return _("none of this holds: %(inner)s") % {"inner": _phrase(inner)}
    if isinstance(inner, nodes.Any):
        inner = inner.nodes[0]
    return _("it is not so that %(inner)s") % {"inner": _phrase(inner)}


def _sequence(node: nodes.Sequence) -> str:
    steps = [_occurrence(step.events, step.where) for step in node.steps]
    places = {
        "days": _value(node.within_days), "window": _window(node.window), "last": steps[-1],
        "steps": _joined(steps, _("%(left)s, then %(right)s")),
        "begun": _joined(steps[:-1], _("%(left)s, then %(right)s")),
    }  # fmt: skip
    if node.followed:
        return (
            _("there was %(steps)s, each within %(days)s days of the one before, beginning %(window)s")
            % places
        )
    return _("there was %(begun)s without %(last)s within %(days)s days, beginning %(window)s") % places


def _event(node: nodes.EventCondition) -> str:
    aggregate, test = node.aggregate, node.test
    if aggregate.op == "count":
        places = {"event": _happening(aggregate), "window": _window(aggregate.window)}
        if (test.op, test.value) in {("at_least", Decimal(1)), ("more_than", Decimal(0))}:
            return _("there was %(event)s %(window)s") % places
        if (test.op, test.value) in {("is", Decimal(0)), ("at_most", Decimal(0)), ("less_than", Decimal(1))}:
            return _("there was no %(event)s %(window)s") % places
    return _tested(_measure(aggregate), test)


def _measure(aggregate: nodes.Aggregate) -> str:
    """What is compared, for example: the number of “Order Completed” in the last 30 days."""
    templates = {
        "count": _("the number of %(event)s %(window)s"),
        "sum": _("the sum of %(of)s of %(event)s %(window)s"),
        "average": _("the average of %(of)s of %(event)s %(window)s"),
        "smallest": _("the smallest %(of)s of %(event)s %(window)s"),
        "largest": _("the largest %(of)s of %(event)s %(window)s"),
        "distinct": _("the number of different %(of)s of %(event)s %(window)s"),
        "first": _("the time of the first %(event)s %(window)s"),
        "last": _("the time of the last %(event)s %(window)s"),
    }
    template = templates[aggregate.op]
    if aggregate.per is not None:
        template = _("the average of %(of)s per %(per)s of %(event)s %(window)s")
    return template % {
        "of": _source(aggregate.of), "per": _source(aggregate.per) if aggregate.per else "",
        "event": _happening(aggregate), "window": _window(aggregate.window),
    }  # fmt: skip


def _happening(aggregate: nodes.Aggregate) -> str:
    return _occurrence(aggregate.events, aggregate.where)


def _occurrence(events: tuple[str, ...], where: tuple[nodes.Filter, ...]) -> str:
    names = _joined((_quoted(name) for name in events), _("%(left)s or %(right)s"))
    if not where:
        return names
    filters = _joined((_filter(part) for part in where), _("%(left)s and %(right)s"))
    return _("%(event)s (where %(filters)s)") % {"event": names, "filters": filters}


def _filter(part: nodes.Filter) -> str:
    if part.place == "item":
        known = {
            "category": _("category"),
            "brand": _("brand"),
            "price": _("price"),
            "name": _("name"),
            "id": "id",
        }
        return _tested(_("the item's %(name)s") % {"name": known.get(part.name, part.name)}, part.test)
    return _tested(_("value") if part.place == "field" else part.name, part.test)


def _source(source: nodes.Source) -> str:
    return {"value": _("value"), "item": _("item"), "day": _("day"), "property": source.name}[source.kind]


def _window(window: nodes.Window) -> str:
    start, end = window.starts, window.ends
    places = {"start": _value(start), "end": _value(end)}
    if isinstance(start, Decimal):
        if end is None:
            whole = int(start) if start == int(start) else 2
            return ngettext("in the last day", "in the last %(start)s days", whole) % places
        if isinstance(end, Decimal):
            return _("between %(start)s and %(end)s days ago") % places
        return _("from %(start)s days ago until before %(end)s") % places
    if isinstance(end, Decimal):
        if start is None:
            return _("more than %(end)s days ago") % places
        return _("from %(start)s until %(end)s days ago") % places
    if start is not None and end is not None:
        return _("from %(start)s until before %(end)s") % places
    if start is not None:
        return _("since %(start)s") % places
    return _("before %(end)s") % places if end is not None else _("at any time")


def _tested(subject: str, test: nodes.Test) -> str:
    places = {"subject": subject, "value": "", "first": "", "second": ""}
    if isinstance(test.value, tuple):
        shown = [_value(one) for one in test.value]
        places["value"] = _joined(shown[:20], _("%(left)s, %(right)s"))
        if OPERATORS[test.op].takes in ("numbers", "dates"):
            places["first"], places["second"] = shown
    else:
        places["value"] = _value(test.value)
    return _(OPERATORS[test.op].sentence) % places


def _value(value: object) -> str:
    if isinstance(value, bool):
        return _("true") if value else _("false")
    if isinstance(value, Decimal):
        return formats.number_format(value.normalize(), use_l10n=True, force_grouping=True)
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
        return f"{value:%Y-%m-%d}" if midnight else f"{value:%Y-%m-%d %H:%M} UTC"
    return _quoted(value) if isinstance(value, str) else ""


def _quoted(text: str) -> str:
    return _("“%(text)s”") % {"text": text}


def _joined(parts: Iterable[str], pair: str) -> str:
    """`pair` says how two parts stand together: %(left)s … %(right)s."""
    joined = ""
    for part in parts:
        joined = pair % {"left": joined, "right": part} if joined else part
    return joined
