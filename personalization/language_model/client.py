"""One question to the endpoint by the official openai client, and a strict reading of what comes back.

The client's own models do not check what they hold; here nothing is believed that is not a text of the
assistant, finished by itself, without calls of tools.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from personalization.access.outbound import ForbiddenAddress
from personalization.language_model.errors import ModelTrouble
from personalization.language_model.models import Endpoint

MAX_ANSWER = 100_000  # characters
MAX_TOKENS_TOLD = 10**9


@dataclass(frozen=True)
class Reply:
    """Tokens are None when the server does not say, or says nonsense."""

    text: str
    tokens_in: int | None
    tokens_out: int | None


def complete(endpoint: Endpoint, messages: list[dict[str, str]], *, max_tokens: int) -> Reply:
    """Asks once, without repeating: each try costs money. Raises ModelTrouble."""
    return _read(_send(endpoint, messages, max_tokens=max_tokens))


def _send(endpoint: Endpoint, messages: list[dict[str, str]], *, max_tokens: int) -> str:
    # Imported here: it takes most of a second, and few processes ever ask.
    import httpx2
    import openai

    from personalization.language_model.transport import GuardedTransport

    seconds = float(endpoint.timeout_seconds)
    http_client = httpx2.Client(transport=GuardedTransport(seconds=seconds), trust_env=False)
    with openai.OpenAI(
        api_key=endpoint.key or "none", base_url=endpoint.url, http_client=http_client, max_retries=0,
        timeout=seconds,
    ) as client:  # fmt: skip
        try:
            raw = client.chat.completions.with_raw_response.create(
                model=endpoint.model, messages=messages,  # type: ignore[arg-type]
                extra_body={endpoint.token_limit: max_tokens},
            )  # fmt: skip
            return raw.http_response.text
        except openai.APIStatusError as error:
            raise ModelTrouble(_said_by_status(error.status_code)) from None
        except openai.APITimeoutError:
            text = _("The language model gave no whole answer within %(n)s seconds.")
            raise ModelTrouble(text % {"n": endpoint.timeout_seconds}) from None
        except openai.APIConnectionError as error:
            raise ModelTrouble(_said_by_cause(error)) from None
        except (openai.OpenAIError, httpx2.HTTPError, UnicodeError, ValueError):
            raise ModelTrouble(_("What the language model answered cannot be read.")) from None


def _said_by_status(status: int) -> str:
    if status in (401, 403):
        return _("The language model's server refuses the key (HTTP %(n)s). Check the key.") % {"n": status}
    if status == 404:
        return _("The server knows no such address or model (HTTP 404). Check address and model.")
    if status == 429:
        return _("The language model's server takes no more calls now (HTTP 429). Try again later.")
    return _("The language model's server answered HTTP %(n)s.") % {"n": status}


def _said_by_cause(cause: BaseException | None) -> str:
    from personalization.language_model.transport import TooMuch

    while cause is not None:
        if isinstance(cause, ForbiddenAddress):
            return _("The language model's address is not called: %(why)s.") % {"why": cause.said}
        if isinstance(cause, TooMuch):
            return _("The language model's answer is too large, or packed.")
        cause = cause.__cause__
    return _("The language model's server cannot be reached, or broke off.")


def _read(body: str) -> Reply:
    unreadable = ModelTrouble(_("What the language model answered cannot be read."))
    try:
        data = json.loads(body, parse_constant=_no_number)
        (choice, *_more) = data["choices"]
        message = choice["message"]
        text, role, ending = message["content"], message.get("role"), choice.get("finish_reason")
        calls = message.get("tool_calls") or message.get("function_call")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise unreadable from None
    if calls:
        raise ModelTrouble(_("The language model wanted to call a tool; it has none."))
    if role != "assistant" or not isinstance(text, str) or "\0" in text or len(text) > MAX_ANSWER:
        raise unreadable
    if ending == "length":
        raise ModelTrouble(_("The language model's answer was cut off at its longest length."))
    if ending not in ("stop", None):
        raise ModelTrouble(_("The language model ended without an answer."))
    usage = data.get("usage")
    return Reply(text, _tokens(usage, "prompt_tokens"), _tokens(usage, "completion_tokens"))


def _tokens(usage: Any, name: str) -> int | None:
    told = usage.get(name) if isinstance(usage, dict) else None
    if not isinstance(told, int) or isinstance(told, bool) or told < 0:
        return None
    return min(told, MAX_TOKENS_TOLD)


def _no_number(name: str) -> None:
    raise ValueError(name)
