"""Lets in whom another program names."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.journeys.entries._base import Entrant, Entry
from campaigns.journeys.nodes._base import Wrong
from campaigns.models import Journey


class ApiEntry(Entry):
    name = "api"
    label = gettext_lazy("A call of the API")

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        return iter(())

    def describe(self, params: Mapping[str, Any]) -> str:
        return _("named by your own program")

    def find(
        self, journey: Journey, params: Mapping[str, Any], *, since: datetime, now: datetime, by: str
    ) -> Iterable[Entrant]:
        return ()
