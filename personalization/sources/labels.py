"""What the fields of an import are called on pages. The API and the command line keep the short names."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from personalization.sources.models import Kind

LABELS: dict[str, dict[str, Promise]] = {
    Kind.CUSTOMERS: {
        "external_id": _("Customer id"),
        "email": _("E-mail"),
        "phone": _("Phone"),
        "first_name": _("First name"),
        "last_name": _("Last name"),
        "language": _("Language"),
        "country": _("Country"),
        "city": _("City"),
        "time_zone": _("Time zone"),
        "created_at": _("Customer since"),
        "email_consent": _("Agreed to e-mail (yes or no)"),
    },
    Kind.ITEMS: {
        "external_id": _("Item id"),
        "name": _("Name"),
        "description": _("Description"),
        "categories": _("Categories"),
        "brand": _("Brand"),
        "price": _("Price"),
        "currency": _("Currency"),
        "stock": _("Stock"),
        "is_hidden": _("Hidden"),
        "url": _("Link to the item"),
        "image_url": _("Link to the picture"),
        "translations": _("Translations"),
    },
    Kind.EVENTS: {
        "customer": _("Customer id"),
        "event": _("What happened"),
        "occurred_at": _("Time"),
        "item": _("Item id"),
        "value": _("Value"),
        "message_id": _("Id of the event"),
        "email": _("E-mail"),
        "phone": _("Phone"),
        "anonymous_id": _("Anonymous id"),
    },
}


def say_fault(kind: str, fault: str) -> str:
    """A reason of the pipeline that begins with a field's short name (“email: …”), with the field's label."""
    for colon in (": ", "："):  # of the language in which it was written
        field, found, rest = fault.partition(colon)
        if found:
            return f"{label_of(kind, field)}{colon}{rest}"
    return fault


def label_of(kind: str, field: str) -> str:
    return str(LABELS.get(kind, {}).get(field, field))
