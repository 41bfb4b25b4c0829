"""People in answers that are kept for an Idempotency-Key."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from personalization.access.encryption import Undecipherable, decrypt
from personalization.access.models import KeptAnswer
from personalization.access.problems import problem_response
from personalization.personal_data import Person


class KeptAnswers:
    name = "kept answers of calls"

    def export(self, person: Person) -> Sequence[Mapping[str, Any]]:
        return [{"answered_at": kept.created_at, "answer": kept.body} for kept in _about(person) if kept.body]

    def erase(self, person: Person) -> int:
        """The answer goes, the record that the call was carried out stays: a repeated call must not be
        carried out twice."""
        title = _("The call was carried out; its answer was removed because a person's data was erased")
        gone = problem_response(status=410, title=title, slug="answer-removed")
        count = 0
        for kept in _about(person):
            kept.status, kept.body = gone.status_code, gone.content.decode()
            kept.content_type = gone["Content-Type"]
            kept.save(update_fields=["status", "body", "content_type"])
            count += 1
        return count


def _about(person: Person) -> Iterator[KeptAnswer]:
    """Those with a text of the person, or with the number of one of their profiles as any value: that may be
    the number of something else, and then one answer too many is gone. Also, empty, those whose key is gone:
    nobody can say any more that they are about somebody else.
    """
    numbers = set(person.customer_ids)
    needles = [needle.lower() for needle in person.needles]
    purpose = KeptAnswer._meta.get_field("body").purpose
    sealed = KeptAnswer.objects.annotate(sealed=Cast("body", TextField())).defer("body").order_by("pk")
    for kept in sealed.iterator(chunk_size=500):
        try:
            kept.body = decrypt(kept.sealed, purpose=purpose) if kept.sealed else ""
        except Undecipherable:
            kept.body = ""
            yield kept
            continue
        lowered = kept.body.lower()
        if any(needle in lowered for needle in needles) or not numbers.isdisjoint(_numbers(kept.body)):
            yield kept


def _numbers(body: str) -> Iterator[int]:
    try:
        waiting = [json.loads(body)]
    except ValueError:
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, int):
            yield value
