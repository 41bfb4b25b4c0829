"""Errors as problem details (RFC 9457): one shape for every refused call."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

CONTENT_TYPE = "application/problem+json"
log = structlog.get_logger(__name__)


class ProblemError(Exception):
    """An error of ours that an API call may be answered with. Subclasses fix status, slug and title."""

    status = 400
    slug = "bad-request"
    title: Any = _("The request cannot be carried out")

    def __init__(self, detail: str = "", *, errors: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)


def problem_body(
    *,
    status: int,
    title: object,
    detail: object = "",
    slug: str = "about:blank",
    errors: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """`errors` are {"pointer": JSON pointer into the request, "detail": sentence}."""
    body: dict[str, Any] = {
        "type": slug if slug == "about:blank" else f"/problems/{slug}",
        "title": str(title),
        "status": status,
    }
    if detail:
        body["detail"] = str(detail)
    if errors:
        body["errors"] = list(errors)
    return body


def problem_response(
    *, status: int, title: object, detail: object = "", slug: str = "about:blank",
    errors: Sequence[Mapping[str, str]] = (),
) -> HttpResponse:  # fmt: skip
    """The same for views outside DRF."""
    body = problem_body(status=status, title=title, detail=detail, slug=slug, errors=errors)
    response = JsonResponse(body, status=status, content_type=CONTENT_TYPE)
    if status == 401:
        response["WWW-Authenticate"] = "Basic"
    return response


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's hook. Unexpected exceptions are left to Django, which logs them and answers 500."""
    headers: dict[str, str] = {}
    if isinstance(exc, ProblemError):
        body = problem_body(
            status=exc.status, slug=exc.slug, title=exc.title, detail=exc.detail, errors=exc.errors
        )
    else:
        if isinstance(exc, Http404):
            exc = exceptions.NotFound()
        elif isinstance(exc, PermissionDenied):
            exc = exceptions.PermissionDenied()
        if not isinstance(exc, exceptions.APIException):
            return None
        headers = _headers(exc)
        body = _body_of(exc)
    set_rollback()
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers


def _body_of(exc: exceptions.APIException) -> dict[str, Any]:
    if isinstance(exc, exceptions.ValidationError):
        return problem_body(
            status=exc.status_code, slug="invalid", title=_("The request is not valid"),
            errors=list(_flatten(exc.detail)),
        )  # fmt: skip
    if isinstance(exc, exceptions.NotAuthenticated):
        return problem_body(
            status=exc.status_code, title=exc.detail,
            detail=_("Send an API key as “Authorization: Bearer …”; the menu makes them under API keys."),
        )  # fmt: skip
    # The usual sentence of some has a place for what was asked: only the detail has it filled.
    usual = str(exc.default_detail)
    return problem_body(
        status=exc.status_code, title=exc.detail if "{" in usual else usual, detail=exc.detail
    )


def _flatten(detail: Any, pointer: str = "") -> list[dict[str, str]]:
    if isinstance(detail, Mapping):
        return [
            error
            for key, value in detail.items()
            for error in _flatten(value, pointer if key == "non_field_errors" else f"{pointer}/{key}")
        ]
    if isinstance(detail, Sequence) and not isinstance(detail, str):
        return [
            error
            for index, value in enumerate(detail)
            for error in _flatten(value, pointer if isinstance(value, str) else f"{pointer}/{index}")
        ]
    return [{"pointer": pointer, "detail": str(detail)}]
