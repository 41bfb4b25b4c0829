"""E-mail through a provider of django-anymail (Postmark's protocol), over a socket."""

import json
from typing import Any

import pytest

from campaigns import selectors, services
from campaigns.models import Delivery
from campaigns.senders import accounts
from campaigns.tracking import links

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def postmark(open_service: Any) -> Any:
    service = open_service("email")
    service.mails = []

    def take(path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        assert path == "/email" and headers["x-postmark-server-token"] == "token"
        mail = json.loads(body)
        service.mails.append(mail)
        return 200, {"To": mail["To"], "MessageID": "b7bc2f4a", "ErrorCode": 0, "Message": "OK"}

    service.take_email = take
    values = {
        "backend": "anymail.backends.postmark.EmailBackend",
        "settings": json.dumps({"server_token": "token", "api_url": f"{service.url}/"}),
    }
    accounts.save_account(None, channel="email", name="Postmark", values=values, actor="test")
    return service


def launch(make_customers: Any, make_campaign: Any, n: int = 2, **fields: Any) -> Any:
    make_customers(n, **fields)
    return services.launch(make_campaign(), actor="test")


def test_the_provider_gets_everything_a_server_gets(
    postmark, make_customers, make_campaign, send_all
) -> None:
    run = launch(make_customers, make_campaign, last_name='李 "x"\r\nBcc: evil@example.com')
    send_all(run)
    assert selectors.progress(run)["sent"] == 2 and len(postmark.mails) == 2
    mail = postmark.mails[0]
    headers = {one["Name"]: one["Value"] for one in mail["Headers"]}
    one = Delivery.objects.order_by("pk").first()
    number = links.message_id(one.pk, run.pk, one.customer_id, "email")
    assert headers["Message-ID"] == f"<{number}@shop.example>" and mail["Metadata"] == {"message_id": number}
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" and "/t/u/" in mail["HtmlBody"]
    assert "Bcc" not in mail and set(headers) >= {"List-Id", "Feedback-ID", "List-Unsubscribe"}
    assert mail["TextBody"] and one.detail == "taken as b7bc2f4a"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (422, "failed"),
        (503, "pending"),
        (429, "pending"),
        (401, "pending"),
        ("drop", "unknown"),
        ("hang", "unknown"),
    ],
)
def test_each_answer_means_what_it_means_by_smtp(
    fault, status, postmark, make_customers, make_campaign, send_all, settings
) -> None:
    run = launch(make_customers, make_campaign, n=1)
    postmark.fault = lambda path, number: fault
    postmark.fault_body = {"ErrorCode": 300, "Message": "Invalid 'To' address: 'c0@example.com'"}
    settings.ANYMAIL = {"REQUESTS_TIMEOUT": 1}
    send_all(run, rounds=1)
    one = Delivery.objects.get()
    assert one.status == status and "c0@" not in one.detail and len(postmark.mails) == (status == "unknown")


@pytest.mark.parametrize("provider", ["mailersend", "postal"])
def test_a_provider_without_metadata_still_takes_the_message(
    provider, open_service, make_customers, make_campaign, send_all
) -> None:
    service, taken = open_service("email"), []

    def take(path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, dict[str, str]]:
        taken.append(json.loads(body))
        said = {"status": "success", "data": {"messages": {"c0@example.com": {"id": 4711}}}}
        return 202, said, {"x-message-id": "4711", "Content-Type": "application/json"}

    service.take_email = take
    options = {"api_token": "token", "api_key": "key", "api_url": f"{service.url}/"}
    values = {"backend": f"anymail.backends.{provider}.EmailBackend", "settings": json.dumps(options)}
    accounts.save_account(None, channel="email", name=provider, values=values, actor="test")
    run = launch(make_customers, make_campaign, n=1)
    send_all(run)
    assert len(taken) == 1 and selectors.progress(run)["sent"] == 1
    assert Delivery.objects.get().detail == "taken as 4711"


@pytest.mark.parametrize(
    "url", ["https://provider.invalid/", "http://127.0.0.1:9/", "https://127.0.0.1:{port}/"]
)
def test_a_provider_that_was_never_reached_took_nothing(
    url, open_service, untrusted_port, make_customers, make_campaign, send_all
) -> None:
    open_service("email")
    options = {"server_token": "token", "api_url": url.format(port=untrusted_port)}
    values = {"backend": "anymail.backends.postmark.EmailBackend", "settings": json.dumps(options)}
    accounts.save_account(None, channel="email", name="Postmark", values=values, actor="test")
    run = launch(make_customers, make_campaign, n=1)
    send_all(run, rounds=1)
    one = Delivery.objects.get()
    assert one.status == "pending" and one.detail == "the provider cannot be reached"
