"""A usual call of `POST /decide`, answered before all that only pages need (sessions, languages, CSRF).

Every other call is left to `api.DecideView`, which answers the same and says what is wrong.
"""

import msgspec
from django.http import HttpRequest, HttpResponse

from campaigns.onsite.answering import answer, as_body
from campaigns.onsite.reading import read_call
from experiments.sdk.views import cors
from personalization.access.authentication import token_of
from personalization.access.idempotency import HEADER as IDEMPOTENCY
from personalization.access.problems import ProblemError

PRIVATE = "private, no-store"
METHODS = ("GET", "POST")
_HEADERS = {"Cache-Control": PRIVATE, **cors(*METHODS)}


def decide(request: HttpRequest) -> HttpResponse | None:
    """None for what the view must look at."""
    if request.method != "POST" or request.content_type != "application/json":
        return None
    token = token_of(request)
    if not token or IDEMPOTENCY in request.headers:
        return None
    called = read_call(request.body)
    if called is None:
        return None
    questions, is_batch = called
    try:
        answers = answer(token, questions)
    except ProblemError:  # a key without the right: said by the view
        return None
    content = msgspec.json.encode(as_body(answers, is_batch=is_batch))
    return HttpResponse(content, content_type="application/json", headers=_HEADERS)
