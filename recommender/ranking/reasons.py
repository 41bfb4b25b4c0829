"""Why an item stands in a list, said to the customer. `wording` says it to staff."""

from django.utils.translation import gettext as _

from recommender.ranking.many import BOUGHT, PINNED, POPULAR, SIMILAR


def say_reason(kind: str, *, because: str = "", event: str = "") -> str:
    """A sentence in the active language. `because` is the name of the reason item, empty without one."""
    if because:
        known = _("Because you bought %(item)s") if event == BOUGHT else _("Because you looked at %(item)s")
        return known % {"item": because}
    if kind == SIMILAR:
        return _("Popular with customers like you")
    if kind == PINNED:
        return _("Our pick")
    return _("Popular with other customers") if kind == POPULAR else _("Chosen for you")
