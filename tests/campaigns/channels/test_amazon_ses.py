"""E-mail through Amazon SES (API v2, signature 4), by boto3 over a socket."""

import base64
import hashlib
import hmac
import json
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import quote

import pytest

from campaigns import selectors, services
from campaigns.models import Delivery
from campaigns.senders import accounts
from campaigns.tracking import links
from campaigns.transport import breaker

pytestmark = pytest.mark.django_db(transaction=True)
KEY, SECRET, REGION = "AKIDEXAMPLE", "wJalrXUtnFEMI", "eu-west-1"


def signature(path: str, headers: dict[str, str], body: bytes) -> str:
    """As in Amazon's "Signature Version 4 signing process", by hand."""
    given = dict(part.strip().split("=", 1) for part in headers["authorization"].split(" ", 1)[1].split(","))
    names = given["SignedHeaders"].split(";")
    canonical = "\n".join(
        ["POST", quote(path), "", *(f"{name}:{headers[name]}" for name in names), "", ";".join(names),
         hashlib.sha256(body).hexdigest()]
    )  # fmt: skip
    day, at = headers["x-amz-date"][:8], headers["x-amz-date"]
    scope = f"{day}/{REGION}/ses/aws4_request"
    assert given["Credential"] == f"{KEY}/{scope}"
    text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{SECRET}".encode()
    for part in (day, REGION, "ses", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    assert given["Signature"] == hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return given["Signature"]


@pytest.fixture
def ses(open_service: Any) -> Any:
    service = open_service("email")
    service.mails = []

    def take(path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        assert path == "/v2/email/outbound-emails" and signature(path, headers, body)
        service.mails.append(json.loads(body))
        return 200, {"MessageId": "0102-ses"}

    service.take_email = take
    save(service.url)
    return service


def save(url: str) -> None:
    settings = {
        "session_params": {
            "aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "region_name": REGION,
        },
        "client_params": {"endpoint_url": url, "config": {"read_timeout": 1, "connect_timeout": 1}},
        "configuration_set_name": "shop",
    }  # fmt: skip
    values = {"backend": "anymail.backends.amazon_ses.EmailBackend", "settings": json.dumps(settings)}
    accounts.save_account(None, channel="email", name="SES", values=values, actor="test")


def test_ses_gets_everything_a_server_gets(ses, make_customers, make_campaign, send_all) -> None:
    make_customers(2, last_name='李 "x"\r\nBcc: evil@example.com')
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    assert selectors.progress(run)["sent"] == 2 and len(ses.mails) == 2
    mail = message_from_bytes(base64.b64decode(ses.mails[0]["Content"]["Raw"]["Data"]), policy=policy.default)
    one = Delivery.objects.order_by("pk").first()
    number = links.message_id(one.pk, run.pk, one.customer_id, "email")
    assert ses.mails[0]["ConfigurationSetName"] == "shop" and one.detail == "taken as 0102-ses"
    assert ses.mails[0]["Destination"]["ToAddresses"] == ["c0@example.com"] and mail["Bcc"] is None
    assert json.loads(mail["X-Metadata"]) == {"message_id": number}
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert {part.get_content_type() for part in mail.walk()} >= {"text/plain", "text/html"}


@pytest.mark.parametrize(
    ("fault", "code", "status", "waits"),
    [
        (400, "MessageRejected", "failed", False),
        (400, "BadRequestException", "failed", False),
        (429, "TooManyRequestsException", "pending", False),
        (503, "ServiceUnavailable", "pending", False),
        (403, "SignatureDoesNotMatch", "pending", True),
        (400, "SendingPausedException", "pending", True),
        (404, "NotFoundException", "pending", True),
    ],
)
def test_each_error_of_ses_means_what_it_means_by_smtp(
    fault, code, status, waits, ses, make_customers, make_campaign, send_all
) -> None:
    make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    ses.fault, ses.headers = lambda path, number: fault, {"x-amzn-ErrorType": code}
    ses.fault_body = {"message": "Address c0@example.com is not verified"}
    send_all(run, rounds=1)
    one = Delivery.objects.get()
    assert one.status == status and one.attempts == (0 if waits else 1) and ses.requests == 1
    assert "c0@" not in one.detail and (code in one.detail or waits)


@pytest.mark.parametrize("fault", ["drop", "hang"])
def test_a_call_without_an_answer_is_unknown_and_never_repeated(
    fault, ses, make_customers, make_campaign, send_all
) -> None:
    make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    ses.fault = lambda path, number: fault
    send_all(run)
    assert Delivery.objects.get().status == "unknown" and len(ses.mails) == 1


def test_ses_that_cannot_be_reached_or_is_not_set_up_makes_everybody_wait(
    open_service, make_customers, make_campaign, send_all, monkeypatch
) -> None:
    open_service("email")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    values = {"backend": "anymail.backends.amazon_ses.EmailBackend", "settings": "{}"}
    account = accounts.save_account(None, channel="email", name="SES", values=values, actor="test")
    send_all(run, rounds=1)
    assert "region" in breaker.state(f"email:{account.pk}").reason
    account.delete()
    save("http://127.0.0.1:9")
    send_all(run, rounds=1)
    assert Delivery.objects.get().status == "pending"
