"""`Idempotency-Key`: a call that is repeated with the same key is carried out once and answered twice alike.

For programs with an API key, on every POST and PATCH of `/api/v1/`. The call and the record of its answer are
one transaction: a crash leaves neither, so a repeated call is carried out then, and never half. What differs
under one key is refused (422), what still runs elsewhere is not waited for (409). Answers are kept encrypted,
for a day. Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from personalization.access.authentication import authenticate_key, token_of
from personalization.access.models import ApiKey, KeptAnswer
from personalization.access.permissions import scope_of
from personalization.access.problems import problem_response

HEADER = "Idempotency-Key"
METHODS = ("POST", "PATCH")
MAX_LENGTH = 255
KEPT_FOR = timedelta(hours=24)
# Not answers to the call itself: the same call may be taken later.
NOT_KEPT = (401, 403, 409, 429)


class IdempotencyMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        name = request.headers.get(HEADER)
        if name is None or request.method not in METHODS or not hasattr(view, "cls"):
            return None
        key = _allowed_key(request, view)
        if key is None:
            return None  # the view says what is wrong
        if refusal := _refusal(request, name):
            return refusal
        return _answer_once(request, key, name, lambda: view(request, *args, **kwargs))


def forget_old_answers() -> None:
    KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()


def _allowed_key(request: HttpRequest, view: Any) -> ApiKey | None:
    """A key that may make this call: what was answered to it once is not for one that lost its scope."""
    token = token_of(request)
    key = authenticate_key(token) if token else None
    return key if key and scope_of(view.cls, request.method or "") in key.scopes else None


def _refusal(request: HttpRequest, name: str) -> HttpResponse | None:
    if not name or len(name) > MAX_LENGTH or not (name.isascii() and name.isprintable()):
        title = _("An Idempotency-Key has 1 to 255 printable ASCII characters")
        return problem_response(status=400, title=title, slug="idempotency-key")
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    try:
        size = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        size = 0
    if size > limit:
        title = _("An Idempotency-Key goes with bodies of at most %(limit)s bytes") % {"limit": limit}
        return problem_response(status=400, title=title, slug="idempotency-key")
    return None


def _answer_once(
    request: HttpRequest, key: ApiKey, name: str, call: Callable[[], HttpResponse]
) -> HttpResponse:
    call_hash = _hash_of(str(request.method), request.path, name)
    body_hash = _digest(request.get_full_path().encode() + b"\n" + request.body)
    with transaction.atomic():
        if not _lock(key, call_hash):
            title = _("The first call with this Idempotency-Key still runs")
            return problem_response(status=409, title=title, slug="idempotency-key")
        fresh = KeptAnswer.objects.filter(created_at__gt=timezone.now() - KEPT_FOR)
        kept = fresh.filter(key=key, call_hash=call_hash).first()
        if kept is not None:
            return _replay(kept, body_hash)
        answer = call()
        if callable(render := getattr(answer, "render", None)):
            answer = render()
        if answer.status_code >= 500:
            transaction.set_rollback(True)
        elif answer.status_code not in NOT_KEPT and not answer.streaming:
            KeptAnswer.objects.update_or_create(
                key=key, call_hash=call_hash,
                defaults={
                    "body_hash": body_hash, "status": answer.status_code, "created_at": timezone.now(),
                    "content_type": answer.get("Content-Type", ""), "body": answer.content.decode(),
                },
            )  # fmt: skip
        return answer


def _digest(message: bytes) -> bytes:
    return hmac.digest(settings.ADDRESS_KEY.encode(), b"idempotency\n" + message, "sha256")


def _hash_of(method: str, path: str, name: str) -> bytes:
    return _digest(f"{method} {path}\n{name}".encode())


def _lock(key: ApiKey, call_hash: bytes) -> bool:
    """Until the end of the transaction; False when another one has it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"idempotency {key.pk} {call_hash.hex()}"],
        )
        return bool(cursor.fetchone()[0])


def _replay(kept: KeptAnswer, body_hash: bytes) -> HttpResponse:
    if bytes(kept.body_hash) != body_hash:
        title = _("This Idempotency-Key was used for another call")
        detail = _("A key stands for one call with one body: take a new one for this.")
        return problem_response(status=422, title=title, detail=detail, slug="idempotency-key")
    answer = HttpResponse(kept.body, status=kept.status)
    if kept.content_type:
        answer["Content-Type"] = kept.content_type
    else:
        del answer["Content-Type"]
    answer["Idempotent-Replayed"] = "true"
    return answer
