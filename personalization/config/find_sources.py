"""The pages of the menu, for who may open them."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from personalization.access.finding import FindSource, Found
from personalization.config.navigation import UNFOLD


class Pages(FindSource):
    label = _("Pages")
    icon = "menu"
    permission = None

    def find(self, request: HttpRequest, words: list[str], *, limit: int) -> Iterable[Found]:
        found = []
        for group in UNFOLD["SIDEBAR"]["navigation"]:
            for entry in group["items"]:
                title = str(entry["title"])
                if all(word.lower() in title.lower() for word in words) and self._may(request, entry):
                    found.append(Found(title, str(entry["link"]), str(group.get("title", ""))))
        return found[:limit]

    def _may(self, request: HttpRequest, entry: dict) -> bool:
        return "permission" not in entry or bool(entry["permission"](request))
