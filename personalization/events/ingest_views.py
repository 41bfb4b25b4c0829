"""`POST /v1/identify|track|page|screen|group|alias|batch`: the Segment spec, its clients work unchanged.

Thin on purpose: no session, no serializer; msgspec reads a message in a microsecond. The answer is given
after the commit, so whoever got it may forget the message.
"""

import json
import zlib
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from personalization.access.authentication import TEST_HEADER, authenticate_key, token_of
from personalization.access.models import ApiKey, Scope
from personalization.access.permissions import lacking
from personalization.access.problems import ProblemError, problem_response
from personalization.events.connecting import trusted_connection
from personalization.events.errors import MessageError
from personalization.events.ingestion import ingest
from personalization.events.messages import Message, parse_sent_at, read_message
from personalization.events.quick import QuickReader, is_plain

MAX_CALL_BYTES = 32 * 1024
MAX_BATCH_BYTES = 500 * 1024
KEY_SECONDS = 1.0


class _Envelope(msgspec.Struct):
    """The items stay raw, so that one of them can be broken alone."""

    batch: list[msgspec.Raw]
    sentAt: Any = None
    writeKey: Any = None


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


class _BadRequest(ProblemError):
    slug = "invalid"


class _TooLarge(ProblemError):
    status = 413
    slug = "too-large"
    title = "The call is too large"


@csrf_exempt
def call(request: HttpRequest, name: str) -> HttpResponse:
    """One message, named by the address."""
    return _answer_readably(request, name)


@csrf_exempt
def batch(request: HttpRequest) -> HttpResponse:
    """Up to 500 kB of messages; the answer names those that were not taken, all others are stored."""
    return _answer_readably(request, "")


def _answer_readably(request: HttpRequest, name: str) -> HttpResponse:
    """What is refused is told in the caller's language. Calls come here past the middlewares for pages
    (`config.quick`), of which one would choose it."""
    language = translation.get_language_from_request(request)
    with translation.override(language):
        response = _answer(request, name)
    response.headers["Content-Language"] = language
    response.headers["Content-Length"] = str(len(response.content))
    return response


def _answer(request: HttpRequest, name: str) -> HttpResponse:
    if request.method != "POST":
        response = problem_response(status=405, title=_("Only POST is possible here"))
        response["Allow"] = "POST"
        return response
    received_at = timezone.now()
    try:
        raw = _body(request, MAX_CALL_BYTES if name else MAX_BATCH_BYTES)
        body, items = _parse_call(raw) if name else _parse_batch(raw)
        with trusted_connection():
            key = _admit(request, body)
            if isinstance(key, HttpResponse):
                return key
            quick = QuickReader(sent_at=parse_sent_at(body), received_at=received_at, is_plain=is_plain(raw))
            errors = _take(items, quick, call=name, key=key)
    except ProblemError as error:
        return problem_response(status=error.status, title=error.title, detail=error.detail, slug=error.slug)
    if errors and name:
        return problem_response(
            status=400, title=_("The message is not valid"), detail=errors[0], slug="invalid"
        )
    answer: dict[str, Any] = {"success": True}
    if errors:
        answer["errors"] = [{"index": index, "reason": errors[index]} for index in sorted(errors)]
    return JsonResponse(answer, headers={TEST_HEADER: "true"} if key.is_test else None)


def _take(items: list[Any], quick: QuickReader, *, call: str, key: ApiKey) -> dict[int, str]:
    """Writes what can be read; answers the reasons for what was not taken, by its place."""
    errors: dict[int, str] = {}
    messages: list[Message] = []
    positions: list[int] = []
    for position, item in enumerate(items):
        try:
            message = _read(item, quick, call=call)
        except MessageError as error:
            errors[position] = str(error)
            continue
        messages.append(message)
        positions.append(position)
    refused = ingest(messages, received_at=quick.received_at, sender=key.prefix, is_test=key.is_test)
    return errors | {positions[place]: reason for place, reason in refused.items()}


def _admit(request: HttpRequest, body: dict[str, Any]) -> ApiKey | HttpResponse:
    """401 without a live key, 403 without its scope. The key: Basic user, Bearer token, or `writeKey`."""
    token = token_of(request)
    if token is None and isinstance(body.get("writeKey"), str):
        token = body["writeKey"]
    key = authenticate_key(token, max_age=KEY_SECONDS) if token else None
    if key is None:
        return problem_response(
            status=401, title=_("The write key is missing, unknown, expired or revoked"), slug="unauthorized"
        )
    if Scope.INGEST not in key.scopes:
        return problem_response(
            status=403,
            title=_("The key lacks the scope %(scope)s") % {"scope": Scope.INGEST.value},
            detail=lacking(Scope.INGEST),
            slug="forbidden",
        )
    return key


def _body(request: HttpRequest, limit: int) -> bytes:
    """The request's bytes, unpacked. Never reads or unpacks more than `limit`. Raises _TooLarge."""
    detail = _("At most %(kilobytes)s kB are taken.") % {"kilobytes": limit // 1024}
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            raise _TooLarge(detail)
    except ValueError:
        raise _BadRequest from None
    raw = request.body
    if request.headers.get("Content-Encoding", "").lower() == "gzip":
        unpacker = zlib.decompressobj(wbits=31)
        try:
            raw = unpacker.decompress(raw, limit + 1)
        except zlib.error:
            raise _BadRequest(_("The body is not gzip.")) from None
    if len(raw) > limit:
        raise _TooLarge(detail)
    return raw


def _parse_call(raw: bytes) -> tuple[dict[str, Any], list[Any]]:
    body = _lenient(raw)
    if not isinstance(body, dict):
        raise _BadRequest(_("A JSON object is expected."))
    return body, [body]


def _parse_batch(raw: bytes) -> tuple[dict[str, Any], list[Any]]:
    try:
        envelope = _decode_envelope(raw)
        return {"sentAt": envelope.sentAt, "writeKey": envelope.writeKey}, list(envelope.batch)
    except msgspec.MsgspecError:
        # Half a surrogate pair or a NaN somewhere: Python's own reader is slower and forgives them.
        body = _lenient(raw)
    if not isinstance(body, dict) or not isinstance(body.get("batch"), list):
        raise _BadRequest(_("A JSON object with a list `batch` is expected."))
    return body, body["batch"]


def _lenient(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise _BadRequest(_("The body is not JSON.")) from None


def _read(item: Any, quick: QuickReader, *, call: str) -> Message:
    """Raises MessageError."""
    content = bytes(item) if isinstance(item, msgspec.Raw) else item
    if len(content if isinstance(content, bytes) else json.dumps(content)) > MAX_CALL_BYTES:
        raise MessageError(_("larger than 32 kB"))
    if isinstance(content, bytes):
        if (message := quick.read(content)) is not None:
            return message
        try:
            content = _lenient(content)
        except _BadRequest:
            raise MessageError(_("not JSON")) from None
    return read_message(content, call=call, sent_at=quick.sent_at, received_at=quick.received_at)
