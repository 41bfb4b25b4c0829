"""Saved views of the list of customers: filters, order and columns, one's own or shared."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.access.problems import ProblemError
from personalization.access.services import audit
from personalization.customers.models import Customer, SavedView

if TYPE_CHECKING:
    from personalization.access.models import User

COLUMN_NAMES = (
    "email", "phone", "external_id", "language", "country", "city", "time_zone", "created_at", "updated_at",
)  # fmt: skip
USUAL = ("email", "external_id", "language", "country", "city", "created_at")
TRAIT = "trait:"
MOST_COLUMNS = 12
MOST_TRAITS = 40
SAMPLE = 200
FILTERS = ("language", "language__exact", "country", "country__exact", "o")


class InvalidView(ProblemError):
    status = 422
    slug = "invalid-view"
    title = gettext_lazy("The view cannot be saved")


def views_of(user: "User") -> QuerySet[SavedView]:
    """Those the user may open."""
    return SavedView.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")


@transaction.atomic
def save_view(
    user: "User",
    *,
    name: str,
    filters: Mapping[str, str],
    columns: Sequence[str],
    is_shared: bool,
    actor: str,
) -> SavedView:
    """A view of the user by this name is replaced. Raises InvalidView."""
    name = name.strip()
    if not 0 < len(name) <= 100 or "\0" in name:
        raise InvalidView(_("Give the view a name of 1 to 100 characters."))
    kept = [column for column in dict.fromkeys(columns) if _is_column(column)]
    if not 0 < len(kept) <= MOST_COLUMNS:
        raise InvalidView(_("Choose 1 to %(most)s columns.") % {"most": MOST_COLUMNS})
    view, _created = SavedView.objects.update_or_create(
        owner=user, name=name,
        defaults={
            "filters": {key: value[:100] for key, value in filters.items() if key in FILTERS},
            "columns": kept, "is_shared": is_shared,
        },
    )  # fmt: skip
    audit(actor, "view.saved", f"view:{view.pk}", shared=is_shared)
    return view


def remove_view(view: SavedView, *, actor: str) -> None:
    audit(actor, "view.removed", f"view:{view.pk}")
    view.delete()


def _is_column(name: str) -> bool:
    return name in COLUMN_NAMES or (name.startswith(TRAIT) and 0 < len(name) - len(TRAIT) <= 200)


def address_of(view: SavedView) -> str:
    """The query of the list's address."""
    return urlencode({**view.filters, "view": view.pk})


def known_traits() -> list[str]:
    """Names of traits that the newest customers have."""
    newest = Customer.objects.order_by("-pk").values_list("traits", flat=True)[:SAMPLE]
    return sorted({name for traits in newest for name in traits if len(name) <= 60})[:MOST_TRAITS]
