"""Numbers as people read them."""

from django import template

register = template.Library()


@register.filter
def thousands(value: int | None) -> str:
    """1234567 as 1,234,567; a dash for None."""
    return "–" if value is None else f"{value:,}"
