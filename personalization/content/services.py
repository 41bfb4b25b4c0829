"""Writes of blocks. `actor` is the name in the audit log (`access.services.actor_name`)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.access.problems import ProblemError
from personalization.access.services import audit
from personalization.content.by_language import check_texts, clean_texts
from personalization.content.errors import TemplateError
from personalization.content.expanding import expand
from personalization.content.messages import compile_message
from personalization.content.models import BlockVersion, ContentBlock
from personalization.content.selectors import blocks_named

SECTION = re.compile(r"<mj-(?:section|wrapper|hero)[\s>]")
COLUMN = re.compile(r"<mj-(?:column|group)[\s>]")


class InvalidBlock(ProblemError):
    """What was to be saved is no block; `errors` names each problem."""

    status = 422
    slug = "invalid-block"
    title = gettext_lazy("The block is not valid")


@transaction.atomic
def save_block(
    name: str, *, texts: Mapping[str, Any], description: str | None = None, note: str = "", actor: str
) -> BlockVersion:
    """A new version, or the newest when nothing is different; an archived block comes back into use.

    Messages that are launched from now on have it; those launched before keep theirs. Raises InvalidBlock.
    """
    name = name.strip()
    clean = clean_texts(texts)
    errors = list(
        check_texts(name, clean, description=description, note=note, mistakes=lambda text: _wrong(name, text))
    )
    if errors:
        raise InvalidBlock(_("Correct the marked fields and try again."), errors=errors)
    ContentBlock.objects.bulk_create([ContentBlock(name=name)], ignore_conflicts=True)
    block = ContentBlock.objects.select_for_update().get(name=name)
    if description is not None:
        block.description = description.strip()
    block.archived_at = None
    block.save(update_fields=["description", "archived_at"])
    newest = block.versions.first()
    if newest is not None and newest.texts == clean:
        return newest
    number = newest.number + 1 if newest else 1
    version = BlockVersion.objects.create(
        block=block, number=number, texts=clean, note=note.strip(), created_by=actor[:200]
    )
    audit(actor, "block.saved", f"block:{name}", version=number)
    return version


def archive_block(block: ContentBlock, *, actor: str) -> None:
    """Out of use: a message that names it can no longer be launched. Saving it again brings it back."""
    if ContentBlock.objects.filter(pk=block.pk, archived_at=None).update(archived_at=timezone.now()):
        audit(actor, "block.archived", f"block:{block.name}")


def _wrong(name: str, text: str) -> Iterator[str]:
    """What would be wrong with the block in a message, told with its own lines."""
    try:
        others = blocks_named(text)
        inner = {other: one["texts"] for other, one in others.items()} | {name: {"": text}}
        expand(f'{{% block "{name}" %}}', inner)
        compile_message(subject="-", body=page_of(f'{{% block "{name}" %}}', text), blocks=inner)
    except TemplateError as error:
        yield from (problem.message for problem in error.problems)


def page_of(block: str, text: str) -> str:
    """The least message in which a block of this kind can stand."""
    if SECTION.search(text):
        return f"<mjml><mj-body>{block}</mj-body></mjml>"
    if COLUMN.search(text):
        return f"<mjml><mj-body><mj-section>{block}</mj-section></mj-body></mjml>"
    if re.search(r"<mj-", text):
        return f"<mjml><mj-body><mj-section><mj-column>{block}</mj-column></mj-section></mj-body></mjml>"
    return block
