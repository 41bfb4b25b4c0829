"""The real openai client against a server over a socket: what hostile and broken answers come to."""

import gzip
import json
from typing import Any

import pytest

from personalization.language_model import client, transport
from personalization.language_model.client import complete
from personalization.language_model.errors import ModelTrouble
from tests.language_model.conftest import completion, drip

ASKED = [{"role": "user", "content": "Say hello."}]
CALL = {"id": "1", "type": "function", "function": {"name": "shell", "arguments": '{"cmd": "id"}'}}
UNREADABLE = "cannot be read"
HOSTILE = {
    "no JSON": (b"<html>Sorry</html>", UNREADABLE),
    "half of JSON": (b'{"choices": [', UNREADABLE),
    "nothing": (b"", UNREADABLE),
    "no object": (b"[]", UNREADABLE),
    "a number": (b"7", UNREADABLE),
    "no choices": ({"choices": []}, UNREADABLE),
    "choices that are no list": ({"choices": "all"}, UNREADABLE),
    "a choice that is no object": ({"choices": [None]}, UNREADABLE),
    "no message": ({"choices": [{}]}, UNREADABLE),
    "a message of the user": (completion("hi", message={"role": "user"}), UNREADABLE),
    "a message of the system": (completion("hi", message={"role": "system"}), UNREADABLE),
    "no role": (completion("hi", message={"role": None}), UNREADABLE),
    "no text": (completion(None), UNREADABLE),
    "text in parts": (completion([{"type": "text", "text": "hi"}]), UNREADABLE),
    "a text with NUL": (completion("a\0b"), UNREADABLE),
    "a text without end": (completion("a" * 200_000), UNREADABLE),
    "nested without end": (b'{"choices":' + b"[" * 100_000 + b"]" * 100_000 + b"}", UNREADABLE),
    "NaN": (b'{"choices": NaN}', UNREADABLE),
    "a number without end": (b'{"choices": ' + b"9" * 5_000 + b"}", UNREADABLE),
    "no UTF-8": (b'{"choices": "\xff\xfe"}', UNREADABLE),
    "a call of a tool": (completion(None, message={"tool_calls": [CALL]}), "a tool"),
    "a call of a tool beside text": (completion("hi", message={"tool_calls": [CALL]}), "a tool"),
    "a call of a function": (completion("hi", message={"function_call": {"name": "x"}}), "a tool"),
    "cut off": (completion("hi", choice={"finish_reason": "length"}), "cut off"),
    "filtered": (completion("hi", choice={"finish_reason": "content_filter"}), "without an answer"),
    "ten megabytes": (json.dumps(completion("a" * 10_000_000)).encode(), "too large"),
}  # fmt: skip
STATUSES = {
    301: "HTTP 301", 302: "HTTP 302", 307: "HTTP 307", 400: "HTTP 400", 401: "Check the key",
    403: "Check the key", 404: "Check address and model", 408: "HTTP 408", 409: "HTTP 409", 422: "HTTP 422",
    429: "Try again later", 500: "HTTP 500", 503: "HTTP 503",
}  # fmt: skip


def test_the_text_and_the_tokens_of_an_answer_are_read(endpoint: Any, model_server: Any) -> None:
    model_server.answer = completion("Hello!")
    assert complete(endpoint, ASKED, max_tokens=50) == client.Reply("Hello!", 100, 20)
    assert model_server.asked == [{"model": "m", "messages": ASKED, "max_tokens": 50}]
    assert (model_server.paths, model_server.keys) == (["/v1/chat/completions"], ["Bearer sk-test-key"])


def test_the_length_limit_has_the_name_that_the_server_takes(endpoint: Any, model_server: Any) -> None:
    model_server.answer = completion("Hello!")
    endpoint.token_limit = "max_completion_tokens"
    complete(endpoint, ASKED, max_tokens=50)
    assert model_server.asked[0]["max_completion_tokens"] == 50
    assert "max_tokens" not in model_server.asked[0]


@pytest.mark.parametrize("usage", [None, "many", {"prompt_tokens": -5, "completion_tokens": True}, {}])
def test_nonsense_about_tokens_is_not_believed(endpoint: Any, model_server: Any, usage: Any) -> None:
    model_server.answer = completion("Hello!", usage=usage)
    assert complete(endpoint, ASKED, max_tokens=50) == client.Reply("Hello!", None, None)


@pytest.mark.parametrize(("answer", "said"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_answer_is_refused_in_a_sentence(
    endpoint: Any, model_server: Any, answer: Any, said: str
) -> None:
    model_server.answer = answer
    with pytest.raises(ModelTrouble, match=said):
        complete(endpoint, ASKED, max_tokens=50)
    assert len(model_server.asked) == 1


@pytest.mark.parametrize(("status", "said"), STATUSES.items())
def test_an_error_code_is_told_once_and_not_asked_again(
    endpoint: Any, model_server: Any, status: int, said: str
) -> None:
    model_server.status, model_server.headers = (
        status,
        {"Location": "http://127.0.0.1:9/", "Retry-After": "0"},
    )
    model_server.answer = {"error": {"message": "bad key sk-test-key <script>"}}
    with pytest.raises(ModelTrouble, match=said) as caught:
        complete(endpoint, ASKED, max_tokens=50)
    assert "sk-test-key" not in str(caught.value)
    assert len(model_server.asked) == 1


def test_a_packed_answer_is_not_unpacked(endpoint: Any, model_server: Any) -> None:
    model_server.headers = {"Content-Encoding": "gzip"}
    model_server.answer = gzip.compress(b"0" * 50_000_000)
    with pytest.raises(ModelTrouble, match="packed"):
        complete(endpoint, ASKED, max_tokens=50)


HEADS = {
    "headers": b"HTTP/1.1 200 OK\r\nX-Long: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999999\r\n\r\n{",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_an_answer_that_drips_ends_at_the_deadline(endpoint: Any, model_server: Any, head: bytes) -> None:
    endpoint.timeout_seconds = 0.3
    model_server.answer = drip(before=head)
    with pytest.raises(ModelTrouble, match="no whole answer"):
        complete(endpoint, ASKED, max_tokens=50)


def test_a_server_that_hangs_up_is_told(endpoint: Any, model_server: Any) -> None:
    model_server.answer = lambda handler: handler.connection.close()
    with pytest.raises(ModelTrouble, match="cannot be reached"):
        complete(endpoint, ASKED, max_tokens=50)


def test_a_broken_off_body_is_no_answer(endpoint: Any, model_server: Any) -> None:
    whole = json.dumps(completion("hi")).encode()

    def half(handler: Any) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        handler.wfile.write(head % (len(whole) + 10) + whole)
        handler.close_connection = True

    model_server.answer = half
    with pytest.raises(ModelTrouble, match="broke off"):
        complete(endpoint, ASKED, max_tokens=50)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[64:ff9b::7f00:1]", "[::1]"])
def test_a_server_of_the_own_network_must_be_allowed(
    endpoint: Any, model_server: Any, settings: Any, host: str
) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = []
    for scheme in ("http", "https"):
        endpoint.url = f"{scheme}://{host}:{model_server.port}/v1"
        with pytest.raises(ModelTrouble, match="not called"):
            complete(endpoint, ASKED, max_tokens=50)
    assert model_server.asked == []


def test_proxies_of_the_environment_are_not_used(
    endpoint: Any, model_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    model_server.answer = completion("Hello!")
    assert complete(endpoint, ASKED, max_tokens=50).text == "Hello!"


def test_the_largest_answer_is_a_megabyte() -> None:
    assert transport.MAX_BYTES == 1_000_000
