"""What the editor asks while one writes: a customer's own message, a test mail, the segment's size."""

import secrets
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from campaigns import channels
from campaigns.editor.examples import example_context, preheader_of
from campaigns.editor.forms import item_choice, message_fields, read_json, text, translations, utm
from campaigns.editor.pages import answers_problems
from campaigns.editor.short_links import as_sent
from campaigns.editor.trial import Trial, give, send_trial
from campaigns.errors import InvalidCampaign
from campaigns.item_choice import ItemChoice, describe
from campaigns.items.counts import count_items, count_removed, describe_removed
from campaigns.planning.frozen import with_named
from campaigns.planning.translations import check_translations, clean_translations
from campaigns.subject_lines.saying import outlook_of
from campaigns.tracking.utm import utm_of
from personalization.access.services import actor_name
from personalization.access.shell import staff_page
from personalization.catalog import choices
from personalization.content.errors import Problem, RenderError
from personalization.customers import reading
from personalization.customers import search as customer_search
from personalization.customers.models import Customer
from personalization.privacy.told import told_count
from personalization.segments import selectors as segments
from personalization.segments.definition import DefinitionError
from personalization.segments.describe import trait_title
from personalization.segments.errors import CountTooSlow
from personalization.segments.models import Segment, SegmentVersion

MAX_FOUND = 8
MEMBER_SECONDS = 0.2


@require_POST
@staff_page("campaigns.view_campaign")
@answers_problems
def preview(request: HttpRequest) -> HttpResponse:
    """The message of the request's texts and rules for one customer (an id, or none for anybody), its
    problems, and what the rules leave.
    """
    data = read_json(request)
    customer, choice = _customer(request, data), item_choice(data)
    context = example_context(customer, campaign=text(data, "name"), choice=choice)
    if customer and not reading.may_see(request):
        context["customer"] = reading.show_profile(request, context["customer"], page="message preview")
    if data.get("language") is not None:
        context["customer"] = {**context["customer"], "language": text(data, "language")[:35]}
    channel, content = _channel(data), message_content(data)
    language = context["customer"].get("language")
    shown_text = channels.in_language(content, language)
    compiled = give(channel, content, context)
    answer: dict[str, Any] = {
        "customer": _described(request, [customer])[0] if customer else None,
        "problems": [_as_json(p) for p in channel.problems(content, context)],
        "subject_outlook": outlook_of(shown_text["subject"]) if channel.name == "email" else [],
        "items": _about_items(choice, customer, got=len(context["items"])),
        "language": channels.nearest(content.get("translations", {}), language),
        "fields": [
            {"name": name, "title": trait_title(name)}
            for name in sorted(map(str, context["customer"].get("traits", {})))
        ],
    }
    if compiled is None:
        return JsonResponse({**answer, "rendered": None})
    try:
        rendered = as_sent(
            channel, compiled.render(context), keep=context["unsubscribe_url"],
            tracks_clicks=data.get("tracks_clicks") is not False,
            utm=utm_of(
                utm(data), channel=channel.name, campaign=text(data, "name"), variant=text(data, "key")
            ),
        )  # fmt: skip
    except RenderError:
        return JsonResponse({**answer, "rendered": None})
    shown = {**channel.preview(rendered), "shows_items": compiled.uses("items")}
    if "preheader" in {field.name for field in channel.fields}:
        shown["preheader"] = preheader_of(shown_text["preheader"], context)
    return JsonResponse({**answer, "rendered": shown})


def _channel(data: dict[str, Any]) -> channels.Channel:
    name = text(data, "channel") or "email"
    if name not in channels.names():
        raise InvalidCampaign(errors=[{"pointer": "/channel", "detail": _("There is no such channel.")}])
    return channels.get(name)


def message_content(data: dict[str, Any]) -> dict[str, Any]:
    """The request's message as a channel compiles it. Raises InvalidCampaign."""
    parts: dict[str, Any] = {key: text(data, key) for key in ("subject", "preheader", "body")}
    content = {**parts, "fields": message_fields(data), "missing": text(data, "missing")}
    if written := translations(data):
        found = list(check_translations(written, channel=_channel(data).name, where="/translations"))
        if found:
            raise InvalidCampaign(
                found[0][1], errors=[{"pointer": pointer, "detail": detail} for pointer, detail in found]
            )
        content["translations"] = clean_translations(written)
    return with_named(content)


def _about_items(choice: ItemChoice, customer: Customer | None, *, got: int) -> dict[str, Any]:
    """The rules in a sentence, how many items they leave and each takes away, and a warning when too few are
    left.
    """
    fitting, everything = count_items(choice.rules)
    facts = {"n": number_format(fitting), "all": number_format(everything), "got": got}
    warning = ""
    if everything and not fitting:
        warning = _("No item fits these rules.")
    elif fitting < min(choice.count, everything):
        warning = _("Fewer items fit these rules than the message may show.")
    elif customer is not None and got < min(choice.count, everything):
        warning = (
            _("For this customer no item is left.")
            if not got
            else ngettext(
                "For this customer only %(got)s item is left.",
                "For this customer only %(got)s items are left.",
                got,
            )
        )
    return {
        "sentence": describe(choice),
        "left": _("%(n)s of %(all)s items can be recommended.") % facts,
        "warning": warning % facts,
        "removed": describe_removed(count_removed(choice.rules, customer.pk if customer else None)),
    }


def _as_json(problem: Problem) -> dict[str, Any]:
    return {
        "field": problem.field,
        "message": str(problem.message),
        "line": problem.line,
        "language": problem.language,
        "level": problem.level,
    }


def _customer(request: HttpRequest, data: dict[str, Any]) -> Customer | None:
    """The one asked for, else somebody at random: of the segment if there is one. None in an empty shop."""
    if not request.user.has_perm("customers.view_customer"):
        raise PermissionDenied
    wanted = data.get("customer")
    if isinstance(wanted, int):
        return get_object_or_404(Customer, pk=wanted)
    newest = Customer.objects.order_by("-pk").values_list("pk", flat=True).first()
    if newest is None:
        return None
    # A random place in the ids, not ORDER BY random(): that would sort the whole table at every click.
    start = secrets.randbelow(newest) + 1
    found = Customer.objects.filter(pk__gte=start).order_by("pk")
    return _member(str(data.get("segment") or ""), start) or found.exclude(email="").first() or found.first()


def _member(segment_id: str, start: int) -> Customer | None:
    """The next member from `start` on, else the first. None where that cannot be said quickly."""
    if not segment_id.isdecimal():
        return None
    version = SegmentVersion.objects.filter(segment_id=segment_id).order_by("-number").first()
    if version is None:
        return None
    try:
        with segments.time_limit(MEMBER_SECONDS):
            members = segments.members(version, now=timezone.now()).order_by("pk")
            return members.filter(pk__gte=start).first() or members.first()
    except (DefinitionError, CountTooSlow):
        return None


@require_POST
@staff_page("customers.view_customer")
@answers_problems
def customers(request: HttpRequest) -> HttpResponse:
    """Customers whose name, address or id begins with the words. Posted: what is typed may be a name."""
    words = text(read_json(request), "words").strip()[:100]
    # Who may not see names may not find out by searching for them.
    found = customer_search.search(words, limit=MAX_FOUND) if reading.may_see(request) else []
    return JsonResponse({"customers": _described(request, found)})


def _described(request: HttpRequest, customers: Iterable[Customer]) -> list[dict[str, Any]]:
    return [
        {
            "id": customer.pk,
            "name": str(customer),
            "detail": " · ".join(p for p in (customer.city, customer.country, customer.language) if p),
        }
        for customer in reading.show(request, customers, page="message preview")
    ]


@require_GET
@staff_page("campaigns.view_campaign")
def rule_choices(request: HttpRequest) -> HttpResponse:
    """What a rule may name: categories, brands or items (`of`) that hold the words."""
    search = {"categories": choices.categories, "brands": choices.brands, "items": choices.items}
    of = request.GET.get("of", "")
    if of not in search:
        raise Http404
    words = request.GET.get("q", "").strip()[:100].replace("\0", "")
    found = search[of](words, limit=MAX_FOUND)
    return JsonResponse({"choices": [{"value": v, "label": name, "detail": d} for v, name, d in found]})


@require_GET
@staff_page("campaigns.view_campaign")
def size(request: HttpRequest) -> HttpResponse:
    """How many customers are in a segment now, as the caller may know it; null when that cannot be said
    quickly."""
    segment = get_object_or_404(Segment, pk=request.GET.get("segment", "0"))
    found = segments.size(segment, now=timezone.now(), seconds=5.0)
    return JsonResponse({"size": None if found is None else told_count(request, found)})


@require_POST
@staff_page("campaigns.change_campaign")
@answers_problems
def send_test(request: HttpRequest) -> HttpResponse:
    """Sends the request's texts, as a customer would get them, to the recipient it names (`to`)."""
    data = read_json(request)
    channel = _channel(data)
    context = example_context(_customer(request, data), campaign=text(data, "name"), choice=item_choice(data))
    if not reading.may_see(request):
        context["customer"] = reading.show_profile(request, context["customer"], page="test message")
    trial = Trial(
        channel, message_content(data), context, sender_address=text(data, "sender_address"),
        sender_name=text(data, "sender_name"),
    )  # fmt: skip
    send_trial(trial, to=text(data, "to"), actor=actor_name(request))
    return JsonResponse({"address": text(data, "to")})
