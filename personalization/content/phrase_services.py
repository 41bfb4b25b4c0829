"""Writes of phrase sets. `actor` is the name in the audit log (`access.services.actor_name`)."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.access.problems import ProblemError
from personalization.access.services import audit
from personalization.content.by_language import check_texts, clean_texts
from personalization.content.localized import LANGUAGE, normal
from personalization.content.models import PhraseSet, PhraseVersion
from personalization.content.phrases import mistakes_in

MAX_MEMORY = 20  # messages


class InvalidPhraseSet(ProblemError):
    """What was to be saved is no phrase set; `errors` names each problem."""

    status = 422
    slug = "invalid-phrase-set"
    title = gettext_lazy("The phrase set is not valid")


@transaction.atomic
def save_phrase_set(
    name: str, *, texts: Mapping[str, Any], language: str = "en", memory: int = 3,
    description: str | None = None, note: str = "", actor: str,
) -> PhraseVersion:  # fmt: skip
    """A new version, or the newest when nothing is different; an archived set comes back into use.

    Messages that are launched from now on have it; those launched before keep theirs.
    Raises InvalidPhraseSet.
    """
    name, language = name.strip(), normal(language)
    clean = clean_texts(texts)
    errors = [
        *check_texts(name, clean, description=description, note=note, mistakes=mistakes_in),
        *_settings(language, memory),
    ]
    if errors:
        raise InvalidPhraseSet(_("Correct the marked fields and try again."), errors=errors)
    PhraseSet.objects.bulk_create([PhraseSet(name=name)], ignore_conflicts=True)
    row = PhraseSet.objects.select_for_update().get(name=name)
    if description is not None:
        row.description = description.strip()
    row.archived_at = None
    row.save(update_fields=["description", "archived_at"])
    newest = row.versions.first()
    if newest and (newest.texts, newest.language, newest.memory) == (clean, language, memory):
        return newest
    version = PhraseVersion.objects.create(
        phrase_set=row, number=newest.number + 1 if newest else 1, texts=clean, language=language,
        memory=memory, note=note.strip(), created_by=actor[:200],
    )  # fmt: skip
    audit(actor, "phrases.saved", f"phrases:{name}", version=version.number)
    return version


def archive_phrase_set(row: PhraseSet, *, actor: str) -> None:
    """Out of use: a message that names it can no longer be launched. Saving it again brings it back."""
    if PhraseSet.objects.filter(pk=row.pk, archived_at=None).update(archived_at=timezone.now()):
        audit(actor, "phrases.archived", f"phrases:{row.name}")


def _settings(language: str, memory: object) -> Iterator[dict[str, str]]:
    if not LANGUAGE.fullmatch(language):
        yield {"pointer": "/language", "detail": _("Write a language like zh or pt-br.")}
    if type(memory) is not int or not 0 <= memory <= MAX_MEMORY:
        detail = _("Memory is a number of messages from 0 to %(n)s.") % {"n": MAX_MEMORY}
        yield {"pointer": "/memory", "detail": detail}
