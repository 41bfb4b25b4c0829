import pytest
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from personalization.access.pagination import CursorPagination
from personalization.access.problems import ProblemError, exception_handler, problem_response


class Numbers(serializers.Serializer):
    age = serializers.IntegerField()
    tags = serializers.ListField(child=serializers.IntegerField())


def test_validation_errors_point_into_the_request() -> None:
    form = Numbers(data={"age": "old", "tags": [1, "x"]})
    assert not form.is_valid()
    response = exception_handler(serializers.ValidationError(form.errors), {})
    assert response is not None
    assert response.content_type == "application/problem+json"
    assert {e["pointer"] for e in response.data["errors"]} == {"/age", "/tags/1"}
    assert response.data["status"] == response.status_code == 400


def test_our_own_errors_keep_their_status_and_slug() -> None:
    class TooSmall(ProblemError):
        status, slug, title = 409, "too-small", "The segment is too small"

    response = exception_handler(TooSmall("Only 3 customers."), {})
    assert response is not None
    assert response.status_code == 409
    assert response.data == {
        "type": "/problems/too-small",
        "title": "The segment is too small",
        "status": 409,
        "detail": "Only 3 customers.",
    }


def test_a_missing_key_is_401_with_the_way_to_authenticate() -> None:
    error = NotAuthenticated()
    error.auth_header = "Bearer"
    response = exception_handler(error, {})
    assert response is not None
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert "Bearer" in response.data["detail"]


def test_a_cursor_of_nobody_is_a_mistake_of_the_call_not_a_list_that_is_missing() -> None:
    request = Request(APIRequestFactory().get("/", {"cursor": "not-base64"}))
    with pytest.raises(serializers.ValidationError, match="Not a cursor of this list"):
        CursorPagination().decode_cursor(request)


def test_a_title_is_a_whole_sentence_without_places_left_open() -> None:
    for asked, sentence in (
        (MethodNotAllowed("DELETE"), 'Method "DELETE" not allowed.'),
        (UnsupportedMediaType("text/plain"), 'Unsupported media type "text/plain" in request.'),
    ):
        answer = exception_handler(asked, {})
        assert answer is not None and answer.data["title"] == sentence


def test_an_unexpected_error_is_left_to_django() -> None:
    assert exception_handler(ZeroDivisionError(), {}) is None


def test_views_outside_the_framework_answer_the_same_shape() -> None:
    response = problem_response(status=413, title="Too large", slug="too-large")
    assert response["Content-Type"] == "application/problem+json"
    assert b'"/problems/too-large"' in response.content
