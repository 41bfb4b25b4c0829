"""`{% connected_content "weather" city: customer.city as weather %}`: an answer of a server of the list."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from campaigns.models import ContentSource
from campaigns.needs import _fetching as fetching
from campaigns.needs._base import Asked, Given, Provider, Scene
from personalization.content.errors import MissingValue
from personalization.content.needs import Need

# What is longer is known in the ledger by its hash.
LONGEST_RECORD = 4_000


class ConnectedContentProvider(Provider):
    name = "connected_content"

    def problems(self, need: Need) -> Iterator[str]:
        sources = ContentSource.objects.filter(is_active=True)
        if not sources.filter(name=need.name).exists():
            names = ", ".join(sources.values_list("name", flat=True)[:20]) or _("none")
            yield _("there is no such source; there are: %(names)s") % {"names": names}

    def load(self, asked: Sequence[Asked], scene: Scene) -> Mapping[tuple[int, str], Given]:
        by_source: dict[str, list[Asked]] = defaultdict(list)
        for one in asked:
            by_source[one.need.name].append(one)
        sources = {one.name: one for one in ContentSource.objects.filter(name__in=by_source, is_active=True)}
        found: dict[tuple[int, str], Given] = {}
        for name, several in by_source.items():
            source = sources.get(name)
            if source is None:
                gone = MissingValue(f"connected content “{name}”: it is not in the list any more")
                found.update({one.key: Given(gone) for one in several})
                continue
            urls = {one.key: fetching.address(source, one.arguments) for one in several}
            answers = fetching.ask(source, set(urls.values()))
            found.update({key: _given(source, answers[url]) for key, url in urls.items()})
        return found


def _given(source: ContentSource, answer: fetching.Answer) -> Given:
    if not answer.trouble:
        return Given(answer.value, _record(answer.value))
    if source.fallback is not None:
        return Given(source.fallback, {"fallback": answer.trouble})
    return Given(MissingValue(f"connected content “{source.name}”: {answer.trouble}"))


def _record(value: Any) -> dict[str, Any]:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if len(text) <= LONGEST_RECORD:
        return {"value": value}
    return {"sha256": hashlib.sha256(text.encode()).hexdigest()}
