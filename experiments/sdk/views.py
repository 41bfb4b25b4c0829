"""For clients in apps and browsers: the features GrowthBook's SDKs load, and OpenFeature Remote Evaluation.

Thin on purpose: no session, no cookies, the same for every origin; see docs/experiments.md.
"""

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from experiments.sdk.evaluation import Evaluation, evaluate
from experiments.sdk.payload import payload
from experiments.traffic import client_keys

CACHE_SECONDS = 30
MAX_BODY_BYTES = 64 * 1024
MAX_ID = 200
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match, X-API-Key",
    "Access-Control-Expose-Headers": "ETag",
    "Access-Control-Max-Age": "86400",
}
View = Callable[..., HttpResponse]


def cors(*methods: str) -> dict[str, str]:
    """What lets every origin read an answer."""
    return {**CORS, "Access-Control-Allow-Methods": ", ".join([*methods, "OPTIONS"])}


def for_clients(*methods: str) -> Callable[[View], View]:
    """Answers the browser's question before the call, and lets every origin read the answer."""
    headers = cors(*methods)
    allowed = headers["Access-Control-Allow-Methods"]

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "OPTIONS":
                response = HttpResponse(status=204)
            elif request.method not in (*methods, *(["HEAD"] if "GET" in methods else [])):
                response = JsonResponse({"error": f"Only {allowed} are possible here."}, status=405)
                response["Allow"] = allowed
            else:
                response = view(request, *args, **kwargs)
            for name, value in headers.items():
                response[name] = value
            return response

        return answer

    return decorate


@for_clients("GET")
def features(request: HttpRequest, client_key: str) -> HttpResponse:
    """`GET /api/features/<client key>`, as GrowthBook's SDKs ask for it."""
    if not client_keys.is_live(client_key):
        return JsonResponse({"status": 401, "error": "The client key is unknown or revoked."}, status=401)
    response = _tagged(request, payload(now=timezone.now()))
    response["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
    return response


@for_clients("POST")
def evaluate_one(request: HttpRequest, key: str) -> HttpResponse:
    """`POST /ofrep/v1/evaluate/flags/<key>`."""
    targeting_key, refusal = _context(request, {"key": key})
    if refusal is not None:
        return refusal
    found = evaluate(targeting_key, now=timezone.now(), only=key)
    if not found:
        return _error(404, "FLAG_NOT_FOUND", "There is no such running experiment.", {"key": key})
    return JsonResponse(_body(found[0]))


@for_clients("POST")
def evaluate_all(request: HttpRequest) -> HttpResponse:
    """`POST /ofrep/v1/evaluate/flags`."""
    targeting_key, refusal = _context(request, {})
    if refusal is not None:
        return refusal
    flags = [_body(one) for one in evaluate(targeting_key, now=timezone.now())]
    response = _tagged(request, {"flags": flags})
    response["Cache-Control"] = "private, no-cache"
    return response


def _context(request: HttpRequest, about: dict[str, str]) -> tuple[str, HttpResponse | None]:
    """The targeting key, or an answer that says what is wrong with the call."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    key = bearer.strip() if scheme.lower() == "bearer" else request.headers.get("X-API-Key", "")
    if not client_keys.is_live(key):
        return "", _error(401, "GENERAL", "The client key is missing, unknown or revoked.", about)
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY_BYTES:
            raise ValueError
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return "", _error(400, "PARSE_ERROR", "A JSON object of at most 64 kB is expected.", about)
    context = body.get("context") if isinstance(body, dict) else None
    if not isinstance(context, dict):
        return "", _error(400, "INVALID_CONTEXT", "An object `context` is expected.", about)
    targeting_key = context.get("targetingKey")
    if targeting_key is None or targeting_key == "":
        return "", _error(400, "TARGETING_KEY_MISSING", "Give the customer's id as targetingKey.", about)
    if not isinstance(targeting_key, str) or len(targeting_key) > MAX_ID or not _is_storable(targeting_key):
        return "", _error(400, "INVALID_CONTEXT", "targetingKey is a text of up to 200 characters.", about)
    return targeting_key, None


def _is_storable(text: str) -> bool:
    """Half a surrogate pair is legal in JSON, but in no id of ours."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _body(found: Evaluation) -> dict[str, Any]:
    """The metadata is what the event "Experiment Viewed" takes, where one may be sent."""
    metadata = {"inExperiment": found.in_experiment, "experimentId": found.key, "variationId": found.variant}
    return {
        "key": found.key,
        "value": found.value,
        "variant": found.variant,
        "reason": found.reason,
        "metadata": metadata,
    }


def _error(status: int, code: str, details: str, about: dict[str, str]) -> HttpResponse:
    return JsonResponse({**about, "errorCode": code, "errorDetails": details}, status=status)


def _tagged(request: HttpRequest, body: dict[str, Any]) -> HttpResponse:
    """The body with its hash as ETag; 304 without it for who has it already."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    tag = f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'
    known = [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]
    if tag in known:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(content, content_type="application/json; charset=utf-8")
    response["ETag"] = tag
    return response
