"""Staff pages of phrase sets: the list, and one set with its languages, a try as a tree, and versions."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.content.models import PhraseSet, PhraseVersion
from personalization.content.pages import read_texts, show_versions
from personalization.content.phrase_selectors import phrase_sets
from personalization.content.phrase_services import InvalidPhraseSet, archive_phrase_set, save_phrase_set
from personalization.content.phrase_tree import try_phrases
from personalization.content.phrases import mistakes_in
from personalization.customers import reading
from personalization.customers.selectors import profile_by_external_id

STARTER = """start:
- [hello] [news]

hello:
- Good morning, {{ customer.first_name }}!  @when context.daypart == "morning"
- Hello {{ customer.first_name }}!
- Hello!

news:
- We picked [thing] for you.

thing:
- something new
- a few surprises
"""
CHANGE = "content.change_phraseset"


@require_GET
@staff_page("content.view_phraseset")
def phrase_list(request: HttpRequest) -> HttpResponse:
    context = {"sets": phrase_sets(), "can_add": request.user.has_perm(CHANGE)}
    return render_page(request, "content/phrase_sets.html", context, title=_("Phrase sets"))


@staff_page("content.view_phraseset")
def phrase_set(request: HttpRequest, name: str = "") -> HttpResponse:
    """The form of a new set or of one that exists; POST saves it, or tries what is written."""
    row = get_object_or_404(PhraseSet, name=name) if name else None
    may = request.user.has_perm(CHANGE)
    versions = list(row.versions.all()[:50]) if row else []
    given = _given(request, name) if request.method == "POST" else _stored(row, versions)
    context: dict[str, Any] = {"set": row, "can_save": may, "given": given}
    if request.method == "POST" and "try" not in request.POST:
        if not may:
            return HttpResponse(status=403)
        try:
            version = save_phrase_set(**given, actor=actor_name(request))
            return redirect("content:phrase-set", version.phrase_set.name)
        except InvalidPhraseSet as error:
            context["errors"] = [_told(one) for one in error.errors]
    texts = sorted(given["texts"].items())
    context |= {
        "versions": show_versions(versions),
        "rows": [*texts, ("", "")] if may else texts,
        "tag": f'{{% generate "{row.name}" %}}' if row else "",
    }
    if "errors" not in context:
        context |= _tried(request, given)
    return render_page(
        request, "content/phrase_set.html", context, title=row.name if row else _("New phrase set")
    )


@require_POST
@staff_page(CHANGE)
def restore_phrases(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """An older version's phrases as the newest ones."""
    version = get_object_or_404(PhraseVersion, phrase_set__name=name, number=number)
    save_phrase_set(
        name, texts=version.texts, language=version.language, memory=version.memory,
        note=_("as version %(n)s") % {"n": number}, actor=actor_name(request),
    )  # fmt: skip
    return redirect("content:phrase-set", name)


@require_POST
@staff_page("content.delete_phraseset")
def archive_phrases(request: HttpRequest, name: str) -> HttpResponse:
    archive_phrase_set(get_object_or_404(PhraseSet, name=name), actor=actor_name(request))
    return redirect("content:phrase-sets")


def _told(error: Mapping[str, str]) -> str:
    language = error["pointer"].removeprefix("/texts/") if error["pointer"].startswith("/texts/") else ""
    return f"{language}: {error['detail']}" if language else error["detail"]


def _given(request: HttpRequest, name: str) -> dict[str, Any]:
    memory = request.POST.get("memory", "")
    return {
        "name": name or request.POST.get("name", ""),
        "texts": read_texts(request),
        "language": request.POST.get("text_language", ""),
        "memory": int(memory) if memory.isdecimal() and len(memory) < 5 else -1,
        "description": request.POST.get("description", ""),
        "note": request.POST.get("note", ""),
    }


def _stored(row: PhraseSet | None, versions: list[PhraseVersion]) -> dict[str, Any]:
    if not row or not versions:
        return {"texts": {"": STARTER}, "language": "en", "memory": 3}
    newest = versions[0]
    return {
        "texts": newest.texts, "language": newest.language, "memory": newest.memory,
        "description": row.description,
    }  # fmt: skip


def _tried(request: HttpRequest, given: dict[str, Any]) -> dict[str, Any]:
    """The set as it stands in the form, tried on the customer of the form or on a made-up one."""
    who, number = request.POST.get("who", "").strip()[:200], request.POST.get("number", "1")
    language = request.POST.get("try_language", "").strip()[:20]
    context: dict[str, Any] = {"who": who, "try_language": language}
    profile = None
    if who:
        if not request.user.has_perm("customers.view_customer"):
            return {**context, "trouble": _("Your role does not show customers.")}
        profile = profile_by_external_id(who)
        if profile is None:
            return {**context, "trouble": _("There is no customer with this id.")}
        profile = reading.show_profile(request, profile, page="phrase set")
    start = int(number) if number.isdecimal() and len(number) < 9 else 1
    wrong = [
        _told({"pointer": f"/texts/{one}", "detail": sentence})
        for one, text in sorted(given["texts"].items())
        for sentence in mistakes_in(text)
    ]
    if wrong:
        return {**context, "errors": wrong}
    return {**context, "tried": try_phrases(given, profile, language=language, number=start)}
