"""Which languages a message has texts in, and how many customers of a segment get each of them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns.channels import nearest, texts_in
from campaigns.editor.forms import read_json
from campaigns.editor.pages import answers_problems
from campaigns.editor.preview import message_content
from personalization.access.shell import staff_page
from personalization.content.localized import normal
from personalization.customers.models import Customer
from personalization.privacy.told import told_count
from personalization.segments import selectors as segments
from personalization.segments.models import Segment

WRITTEN = re.compile(r"\{%-?\s*language\s+[\"']([\w-]+)[\"']|customer\.language\s*==\s*[\"']([\w-]+)[\"']")
SECONDS = 5.0


def languages_in(content: Mapping[str, Any]) -> set[str]:
    """Those that a message, its blocks and phrase sets have a text for, besides the one for everybody."""
    named = [one["texts"] for kind in ("blocks", "phrases") for one in content.get(kind, {}).values()]
    sources = [text for texts in named for text in texts.values()]
    for text in texts_in(content).values():
        sources += [
            text.get("subject", ""),
            text.get("preheader", ""),
            text["body"],
            *text["fields"].values(),
        ]
    found = {a or b for source in sources for a, b in WRITTEN.findall(str(source))}
    written = {*content.get("translations", {}), *(code for texts in named for code in texts if code)}
    return {normal(code) for code in found | written}


def share_out(counts: Iterable[tuple[str, int]], codes: set[str]) -> list[dict[str, Any]]:
    """For each text ("" is the one for everybody) how many customers get it, and of which languages they are;
    a text that nobody gets has 0 customers."""
    customers: Counter[str] = Counter(dict.fromkeys({"", *codes}, 0))
    languages: dict[str, set[str]] = {code: set() for code in customers}
    for language, number in counts:
        gets = nearest(codes, language)
        customers[gets] += number
        languages[gets].add(normal(language))
    order = sorted(customers, key=lambda code: (code != "", -customers[code], code))
    return [
        {"gets": code, "customers": customers[code], "languages": sorted(languages[code])} for code in order
    ]


@require_POST
@staff_page("campaigns.view_campaign")
@answers_problems
def languages(request: HttpRequest) -> HttpResponse:
    """The table for the message of the request and the members of its segment, else for all customers."""
    data = read_json(request)
    people = Customer.objects.all()
    if str(data.get("segment") or "").isdecimal():
        segment = get_object_or_404(Segment, pk=data["segment"])
        people = segments.members(segment.current, now=timezone.now())
    with segments.time_limit(SECONDS):
        counts = list(people.order_by().values_list("language").annotate(Count("pk")))
    rows = share_out(counts, languages_in(message_content(data)))
    return JsonResponse(
        {"rows": [row | {"customers": told_count(request, row["customers"])} for row in rows]}
    )
