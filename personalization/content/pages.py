"""Staff pages of blocks: the list, and one block with its languages, versions and a preview."""

import difflib
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.content.errors import RenderError, TemplateError
from personalization.content.messages import compile_message
from personalization.content.models import BlockVersion, ContentBlock, PhraseVersion
from personalization.content.selectors import blocks, blocks_named
from personalization.content.services import InvalidBlock, archive_block, page_of, save_block

EXAMPLE = {
    "customer": {"first_name": "Ann", "last_name": "Example", "city": "Cork", "traits": {}},
    "unsubscribe_url": "#",
}  # fmt: skip


@require_GET
@staff_page("content.view_contentblock")
def block_list(request: HttpRequest) -> HttpResponse:
    context = {"blocks": blocks(), "can_add": request.user.has_perm("content.change_contentblock")}
    return render_page(request, "content/blocks.html", context, title=_("Content blocks"))


@staff_page("content.view_contentblock")
def block(request: HttpRequest, name: str = "") -> HttpResponse:
    """The form of a new block or of one that exists, with its versions; POST saves it."""
    row = get_object_or_404(ContentBlock, name=name) if name else None
    may = request.user.has_perm("content.change_contentblock")
    context: dict[str, Any] = {"row": row, "can_save": may}
    if request.method == "POST":
        if not may:
            return HttpResponse(status=403)
        given = _given(request, name)
        try:
            version = save_block(**given, actor=actor_name(request))
            return redirect("content:block", version.block.name)
        except InvalidBlock as error:
            context |= {"given": given, "errors": [one["detail"] for one in error.errors]}
    versions = list(row.versions.all()[:50]) if row else []
    newest = versions[0] if versions else None
    texts = context["given"]["texts"] if "given" in context else (newest.texts if newest else {"": ""})
    context |= {
        "versions": show_versions(versions),
        "rows": [*sorted(texts.items()), ("", "")] if may else sorted(texts.items()),
        "previews": _previews(newest) if newest else [],
        "tag": f'{{% block "{row.name}" %}}' if row else "",
    }
    return render_page(request, "content/block.html", context, title=row.name if row else _("New block"))


@require_POST
@staff_page("content.change_contentblock")
def restore(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """An older version's texts as the newest one."""
    version = get_object_or_404(BlockVersion, block__name=name, number=number)
    note = _("as version %(n)s") % {"n": number}
    save_block(name, texts=version.texts, note=note, actor=actor_name(request))
    return redirect("content:block", name)


@require_POST
@staff_page("content.delete_contentblock")
def archive(request: HttpRequest, name: str) -> HttpResponse:
    archive_block(get_object_or_404(ContentBlock, name=name), actor=actor_name(request))
    return redirect("content:blocks")


def _given(request: HttpRequest, name: str) -> dict[str, Any]:
    return {
        "name": name or request.POST.get("name", ""),
        "texts": read_texts(request),
        "description": request.POST.get("description", ""),
        "note": request.POST.get("note", ""),
    }


def read_texts(request: HttpRequest) -> dict[str, str]:
    """Languages and texts come in pairs; the first is the one for everybody else."""
    languages, texts = request.POST.getlist("language"), request.POST.getlist("text")
    pairs = [(language.strip(), text.replace("\r\n", "\n")) for language, text in zip(languages, texts)]  # noqa: B905
    return {"": ""} | {language: text for language, text in reversed(pairs) if language or text.strip()}


def show_versions(versions: Sequence[Any]) -> list[dict[str, Any]]:
    """Newest first, each with what it changed."""
    return [
        {"version": one, "changes": _changes(before, one)}
        for one, before in zip_longest(versions, versions[1:])
    ]


def _changes(
    before: BlockVersion | PhraseVersion | None, after: BlockVersion | PhraseVersion
) -> list[tuple[str, str]]:
    """Lines added and taken away against the version before, with their signs."""
    found: list[tuple[str, str]] = []
    old_texts = before.texts if before else {}
    for language in sorted({*old_texts, *after.texts}):
        old, new = (texts.get(language, "").splitlines() for texts in (old_texts, after.texts))
        lines = list(difflib.unified_diff(old, new, lineterm="", n=1))[2:]
        if lines and language:
            found.append(("", language))
        found += [(line[:1].strip(), line[1:]) for line in lines if not line.startswith("@@")]
    return found


def _previews(version: BlockVersion) -> list[dict[str, str]]:
    """Each language for a made-up customer, as a page of its own."""
    found = []
    named = {name: one["texts"] for name, one in blocks_named(*version.texts.values()).items()}
    for language, text in sorted(version.texts.items()):
        values = {**EXAMPLE, "customer": {**EXAMPLE["customer"], "language": language or "en"}}  # type: ignore[dict-item]
        try:
            html = compile_message(subject="-", body=page_of(text, text), blocks=named).render(values).html
        except (TemplateError, RenderError) as error:
            html = format_html("<p>{}</p>", error)
        found.append({"language": language, "html": html})
    return found
