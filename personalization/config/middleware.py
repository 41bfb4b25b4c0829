"""What every request gets: an id for the logs, the staff member's language, a content security policy."""

import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from personalization.access.authentication import TEST_HEADER, is_test_token, token_of

GetResponse = Callable[[HttpRequest], HttpResponse]

# Alpine, inside the admin shell, evaluates its attributes: hence 'unsafe-eval' for staff pages.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: https: http:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self'"
)


class RequestIdMiddleware:
    """Binds `request_id` to every log line of the request and answers it as X-Request-Id; says what sends
    nothing."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        if settings.SANDBOX:
            response["Bespoke-Sandbox"] = "1"
        if is_test_token(token_of(request)):
            response[TEST_HEADER] = "true"
        return response


class StaffLocaleMiddleware:
    """The language chosen with the switch (a cookie), else the browser's."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        translation.activate(translation.get_language_from_request(request))
        request.LANGUAGE_CODE = translation.get_language()
        response = self.get_response(request)
        response.setdefault("Content-Language", translation.get_language() or "en")
        return response


class ContentSecurityPolicyMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", POLICY)
        return response
