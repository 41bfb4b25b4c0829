"""The browsers in which staff are logged in: written at the sign-in, seen and ended in the account area."""

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, cast

import ua_parser
from django.conf import settings
from django.contrib.auth import login
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from personalization.access.models import SignInMethod, StaffSession, User
from personalization.access.networks import address_of, network_of
from personalization.access.services import audit

BACKEND = "django.contrib.auth.backends.ModelBackend"
SEEN, METHOD, STRONG = "staff_seen", "staff_method", "staff_strong"
SEEN_STEP_SECONDS = 300
_LONGEST_AGENT = 1000


def sign_in(request: HttpRequest, user: User, *, method: SignInMethod, is_strong: bool) -> None:
    """Logs in. `is_strong`: two factors were shown, here or to the identity provider."""
    login(request, user, backend=BACKEND)
    request.session[METHOD], request.session[STRONG] = method.value, is_strong
    note_use(request)
    audit(
        actor=f"user:{user.get_username()}", action="staff.signed_in", target=f"user:{user.pk}", method=method
    )


def note_use(request: HttpRequest) -> None:
    """Keeps `last_used_at` to five minutes; a session that was begun elsewhere gets its row."""
    session = request.session
    now = time.time()
    if now - session.get(SEEN, 0) < SEEN_STEP_SECONDS:
        return
    session[SEEN] = now
    # A session that another request ended meanwhile gets no row: this request is its last.
    with suppress(IntegrityError), transaction.atomic():
        StaffSession.objects.update_or_create(
            session_id=session.session_key,
            defaults={
                "user": cast(User, request.user),
                "last_used_at": timezone.now(),
                "network": _network(request),
                "device": describe_device(request.headers.get("User-Agent", "")),
                "method": session.get(METHOD, SignInMethod.OTHER),
            },
        )


def devices_of(user: User) -> QuerySet[StaffSession]:
    return StaffSession.objects.filter(user=user, session__expire_date__gt=timezone.now())


def end_sessions(sessions: Iterable[StaffSession], *, actor: str) -> int:
    """Logs these browsers out from their next request on; how many there were."""
    rows = list(sessions)
    Session.objects.filter(pk__in=[row.session_id for row in rows]).delete()
    for row in rows:
        audit(actor=actor, action="session.ended", target=f"user:{row.user_id}", device=row.device)
    return len(rows)


def describe_device(agent: str) -> str:
    """Such as “Firefox on Windows”; empty when the browser does not say."""
    found = ua_parser.parse(agent[:_LONGEST_AGENT])
    names = [part.family for part in (found.user_agent, found.os) if part and part.family]
    return " · ".join(names)[:100]


def _network(request: HttpRequest) -> str:
    try:
        return str(network_of(address_of(request)))
    except ValueError:
        return ""


def current_user(request: HttpRequest) -> User | None:
    """The member of staff, without asking for one where no session cookie came."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    user: Any = request.user
    return cast(User, user) if user.is_authenticated else None
