"""`{% recommended_now customer.pk as picks %}`: what a customer would get this minute, and why."""

from django import template

from personalization.catalog.selectors import names
from recommender.ranking.reasons import say_reason
from recommender.selectors import recommend

register = template.Library()
COUNT = 6


@register.simple_tag
def recommended_now(customer_id: int) -> list[dict[str, str]]:
    """Best first; empty when no item may be shown."""
    found = recommend([customer_id], k=COUNT)[customer_id]
    known = names({pk for one in found for pk in (one.item_id, one.reason_item_id) if pk is not None})
    return [
        {
            "item": known[one.item_id][1],
            "reason": say_reason(
                one.reason_kind,
                because=known[one.reason_item_id][1] if one.reason_item_id in known else "",
                event=one.reason_event,
            ),
        }
        for one in found
        if one.item_id in known
    ]
