"""Text sources: declared, learned from anew, removed with everything they told."""

import re

from django.db import transaction
from django.utils.translation import gettext as _

from personalization.access.services import audit
from personalization.customers.declarations import TraitDeclaration, sensitive_declarations
from personalization.customers.errors import InvalidTraits
from personalization.customers.traits import column_of
from personalization.traits.models import TextSource, TraitDefinition
from personalization.traits.services import remove_values

# What each source tells, by the ending of the trait. The last needs stars.
KINDS = {
    "language": "text_language",
    "topic": "text_topic",
    "keywords": "text_keywords",
    "sentiment": "text_sentiment",
}


@transaction.atomic
def declare_source(source: TextSource, *, actor: str) -> TextSource:
    """Stores a new source with its computed traits, whose values come within a minute or two.

    Raises InvalidTraits, which names the fields.
    """
    source.name, source.event = source.name.strip(), source.event.strip()
    source.property, source.rating_property = source.property.strip(), source.rating_property.strip()
    if wrong := _problems(source):
        raise InvalidTraits(wrong[0][1], errors=[{"pointer": p, "detail": text} for p, text in wrong])
    source.save()
    for ending, kind in KINDS.items():
        if ending != "sentiment" or source.rating_property:
            TraitDefinition.objects.create(
                name=f"{source.name}_{ending}", kind=kind, event=source.event, text_source=source
            )
    audit(actor, "text_source.declared", f"text-source:{source.name}", event=source.event, of=source.property)
    return source


def _problems(source: TextSource) -> list[tuple[str, str]]:
    wrong = []
    names = [f"{source.name}_{ending}" for ending in KINDS]
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", source.name):
        wrong.append(("/name", _("Small letters, digits and _, beginning with a letter; at most 40.")))
    elif (
        TextSource.objects.filter(name=source.name).exists()
        or TraitDefinition.objects.filter(name__in=names).exists()
        or TraitDeclaration.objects.filter(name__in=names).exists()
    ):
        wrong.append(("/name", _("There are traits that begin with this name already: choose another one.")))
    if not source.property or "\0" in source.property or "\0" in source.event:
        wrong.append(("/property", _("Name the property of the event, or the trait, that holds the text.")))
    elif not source.event and column_of(source.property):
        wrong.append(("/property", _("A standard trait is no free text.")))
    elif not source.event and sensitive_declarations().filter(name=source.property).exists():
        wrong.append(
            ("/property", _("This trait is declared as sensitive: what it says may not be told on."))
        )
    if source.rating_property and not source.event:
        wrong.append(("/rating_property", _("Stars are read from the event of the text: name an event.")))
    if not 2 <= source.rating_best <= 100:
        wrong.append(("/rating_best", _("2 to 100.")))
    return wrong


@transaction.atomic
def remove_source(source: TextSource, *, actor: str) -> None:
    """With its computed traits and all their values; the texts themselves stay."""
    for name in source.definitions.values_list("name", flat=True):
        remove_values(name)
    name = source.name
    source.delete()
    audit(actor, "text_source.removed", f"text-source:{name}")


def learn_anew(source: TextSource, *, actor: str) -> None:
    """At the next refresh, within a minute, from the newest texts. Topics that stay keep their names."""
    for definition in source.definitions.all():
        definition.state.pop("learned_at", None)
        definition.problem, definition.full_at = "", None
        definition.save(update_fields=["state", "problem", "full_at"])
    audit(actor, "text_source.learned", f"text-source:{source.name}")
