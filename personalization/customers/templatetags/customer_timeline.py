"""`{% customer_timeline customer.pk %}`: the timeline as a card, filtered and paged by the page's address."""

from typing import Any

from django import template
from django.template.context import RequestContext

from personalization.customers.reading import may_see
from personalization.customers.timeline import (
    InvalidCursor,
    Page,
    read_timeline,
    timeline_sources,
    without_details,
)

register = template.Library()
PAGE_SIZE = 30


@register.inclusion_tag("customers/timeline.html", takes_context=True)
def customer_timeline(context: RequestContext, customer_id: int) -> dict[str, Any]:
    """Only kinds that the member of staff may see."""
    request = context["request"]
    allowed = [source for source in timeline_sources() if request.user.has_perm(source.permission)]
    kind, cursor = request.GET.get("kind", ""), request.GET.get("cursor", "")
    chosen = [source.kind for source in allowed if not kind or source.kind == kind]
    try:
        page = read_timeline(customer_id, kinds=chosen, cursor=cursor, limit=PAGE_SIZE)
    except InvalidCursor:
        page = Page([], "")
    if not may_see(request):
        page = without_details(page)
    labels = {source.kind: source.label for source in allowed}
    return {
        "entries": [(labels[entry.kind], entry) for entry in page.entries],
        "sources": allowed,
        "kind": kind,
        "cursor": cursor,
        "next": page.next,
    }
