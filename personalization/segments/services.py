"""Writes of the segments room."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from personalization.access.services import audit
from personalization.customers.declarations import TraitDeclaration
from personalization.segments.compiler import compile_node
from personalization.segments.definition import DefinitionError, Problem, parse
from personalization.segments.errors import InvalidDefinition, NameTaken
from personalization.segments.models import Segment, SegmentVersion
from personalization.segments.operators import _ as mark

if TYPE_CHECKING:
    from personalization.access.models import User


@transaction.atomic
def save_segment(
    segment: Segment | None,
    *,
    name: str,
    definition: object,
    description: str = "",
    actor_user: "User | None" = None,
    actor: str = "",
) -> SegmentVersion:
    """Creates the segment (None) or changes it; answers its current version.

    A definition equal to the current one makes no new version. `actor` names a program in the audit log.
    Raises InvalidDefinition and NameTaken.
    """
    check(definition, segment)
    name = clean_name(name)
    if Segment.objects.filter(name=name).exclude(pk=segment.pk if segment else 0).exists():
        raise NameTaken(
            _("Choose another name."), errors=[{"pointer": "/name", "detail": _("Choose another name.")}]
        )
    if segment is None:
        segment, before = Segment.objects.create(name=name, description=description), None
    else:
        # The lock gives versions one number each, whoever saves at the same moment.
        segment = Segment.objects.select_for_update().get(pk=segment.pk)
        before = segment.versions.order_by("-number").first()
        segment.name, segment.description = name, description
        segment.save(update_fields=["name", "description"])
    if before is not None and before.definition == definition:
        return before
    version = SegmentVersion.objects.create(
        segment=segment,
        number=before.number + 1 if before else 1,
        definition=definition,
        created_by=actor_user,
    )
    who = actor or (f"user:{actor_user.get_username()}" if actor_user else "system")
    audit(who, "segment.saved", f"segment:{segment.pk}", version=version.number)
    return version


def check(definition: object, segment: Segment | None) -> None:
    """Parses the definition and follows the segments it refers to. Raises InvalidDefinition."""
    try:
        path = (segment.pk,) if segment else ()
        compile_node(parse(definition), now=datetime.now(UTC), path=path)
    except DefinitionError as error:
        raise InvalidDefinition.of(error, prefix="/definition") from error
    encrypted = set(TraitDeclaration.objects.filter(is_encrypted=True).values_list("name", flat=True))
    if problems := list(_asked_of_encrypted(definition, "", encrypted)):
        raise InvalidDefinition(problems, prefix="/definition")


def _asked_of_encrypted(part: object, at: str, encrypted: set[str]) -> Iterator[Problem]:
    """Conditions that could only be answered from the value of an encrypted trait."""
    if isinstance(part, list):
        for place, child in enumerate(part):
            yield from _asked_of_encrypted(child, f"{at}/{place}", encrypted)
    elif isinstance(part, dict):
        if part.get("trait") in encrypted and part.get("op") not in ("exists", "missing"):
            yield Problem(f"{at}/op", mark("This trait is encrypted: ask only whether it is known."))
        for shape in {"all", "any", "not"} & part.keys():
            yield from _asked_of_encrypted(part[shape], f"{at}/{shape}", encrypted)


def clean_name(name: object) -> str:
    cleaned = name.strip() if isinstance(name, str) else ""
    if not 0 < len(cleaned) <= 200 or "\0" in cleaned:
        raise InvalidDefinition([Problem("/name", mark("Give the segment a name of 1 to 200 characters."))])
    return cleaned
