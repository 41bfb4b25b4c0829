"""Usual calls of the addresses that are called most, answered before all that only pages need.

Sessions, the visitor's language, CSRF and policies for HTML cost more than half a millisecond a call,
and say nothing about a program's call with a key.
"""

from collections.abc import Callable
from functools import cached_property, partial

from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve

from campaigns.onsite import quick as onsite
from personalization.events import ingest_views
from personalization.events.messages import CALLS

ANSWER: dict[str, Callable[[HttpRequest], HttpResponse | None]] = {
    "/api/v1/decide": onsite.decide,
    "/v1/batch": ingest_views.batch,
    **{f"/v1/{name}": partial(ingest_views.call, name=name) for name in CALLS},
}


class QuickMiddleware:
    """Stands behind what every request gets. A call that is None to its quick answer goes on as usual."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = ANSWER.get(request.path_info)
        if answer is None:
            return self.get_response(request)
        request.resolver_match = self._matches[request.path_info]  # names the route in traces
        return answer(request) or self.get_response(request)

    @cached_property
    def _matches(self) -> dict[str, ResolverMatch]:
        return {path: resolve(path) for path in ANSWER}
