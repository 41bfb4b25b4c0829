"""Searching a list of the administration for people without their names in the address.

Addresses stand in logs, histories and links. So the words are posted and kept encrypted in the session of
who typed them; the address carries a key that says nothing, and pages, filters and going back work as ever.
"""

import secrets
from typing import Any

from django.contrib import messages
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from personalization.access.encryption import Undecipherable, decrypt, encrypt

FIELD = "words"
MOST_KEPT = 20
_PURPOSE = "searches"


def keep_words(session: SessionBase, words: str) -> str:
    """The key under which these words are found again, until as many others were typed in this session."""
    key = secrets.token_urlsafe(6)
    kept = list(session.get(_PURPOSE, {}).items())[1 - MOST_KEPT :]
    session[_PURPOSE] = dict([*kept, (key, encrypt(words, purpose=_PURPOSE))])
    return key


def kept_words(session: SessionBase, key: str) -> str | None:
    """None for what is no key of this session."""
    token = session.get(_PURPOSE, {}).get(key)
    try:
        return decrypt(token, purpose=_PURPOSE) if token else None
    except Undecipherable:
        return None


def forget_words() -> int:
    """Of all sessions; how many had any."""
    count = 0
    for kept in Session.objects.iterator():
        if _PURPOSE in kept.get_decoded():
            session = SessionStore(kept.session_key)
            session.pop(_PURPOSE, None)
            session.save()
            count += 1
    return count


class PostedSearch:
    """For a `ModelAdmin`: `templates/admin/search_form.html` posts, and `q` of the address is a key."""

    posts_search = FIELD

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if FIELD in request.POST:
            if not self.has_view_or_change_permission(request):  # type: ignore[attr-defined]
                raise PermissionDenied
            return self._search(request, request.POST[FIELD].replace("\0", "").strip()[:200])
        key = request.GET.get(SEARCH_VAR)
        if request.method == "GET" and key and kept_words(request.session, key) is None:
            messages.warning(request, _("This search is not kept any more. Type the words again."))
            return self._search(request, "")
        return super().changelist_view(request, extra_context)  # type: ignore[misc]

    def _search(self, request: HttpRequest, words: str) -> HttpResponse:
        """To the first page of the list with the filters that were on."""
        asked = request.GET.copy()
        for name in (SEARCH_VAR, PAGE_VAR):
            asked.pop(name, None)
        if words:
            asked[SEARCH_VAR] = keep_words(request.session, words)
        return HttpResponseRedirect(f"{request.path}?{asked.urlencode()}" if asked else request.path)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)  # type: ignore[misc]
        found.query = kept_words(request.session, found.query) or ""  # what stands in the field
        return found

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the words behind the key; nobody for a key that is not known."""
        if not search_term:
            return queryset, False
        words = kept_words(request.session, search_term)
        if words is None:
            return queryset.none(), False
        return self.search(request, queryset, words)

    def search(self, request: HttpRequest, queryset: QuerySet[Any], words: str) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, words)  # type: ignore[misc]
