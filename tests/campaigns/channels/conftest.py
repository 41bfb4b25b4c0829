"""Accounts whose providers are doubles, and campaigns to be sent through them."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.core.cache import cache
from django.utils import timezone

from campaigns import services
from campaigns.channels import mobilepush, webhook, webpush
from campaigns.models import PushSubscription, SenderAccount
from campaigns.senders import accounts
from campaigns.sending import chunk
from personalization.customers.models import Consent, Customer, Identifier
from tests.campaigns.channels.doubles import Service, b64
from tests.campaigns.channels.drafts import DRAFTS
from tests.certificates import write_certificate


@pytest.fixture
def open_service(settings: Any, tmp_path: Any) -> Iterator[Callable[[str], Service]]:
    settings.JOURNAL_DIR = tmp_path / "journal"
    settings.SEND_RETRY_SECONDS = 0
    settings.SEND_TIMEOUT_SECONDS = 1
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    mobilepush._tokens.clear()
    chunk.close_sessions()
    opened = []

    def make(channel: str) -> Service:
        service = Service(channel)
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        service.port = listener.getsockname()[1]
        threading.Thread(target=service.serve, args=(listener,), daemon=True).start()
        opened.append((service, listener))
        return service

    yield make
    chunk.close_sessions()
    for service, listener in opened:
        service.closing.set()
        listener.close()
    cache.clear()


@pytest.fixture
def untrusted_port(tmp_path: Any) -> Iterator[int]:
    """The port of a server here whose certificate nobody has signed."""
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(write_certificate(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client, contextlib.suppress(OSError):
                        secure.wrap_socket(client, server_side=True)

        threading.Thread(target=greet, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.fixture
def make_account() -> Callable[..., SenderAccount]:
    """An account whose provider is the service."""

    def make(service: Service, *, position: int = 0, **changes: str) -> SenderAccount:
        values = {**account_values(service), **changes}
        return accounts.save_account(
            None, channel=service.channel, name=f"{service.channel} {service.port}", values=values,
            position=position, actor="test",
        )  # fmt: skip

    return make


def account_values(service: Service) -> dict[str, str]:
    if service.channel == "sms":
        return {"account_sid": "AC123456", "auth_token": "sms-token", "sender": "+442079460018",
                "base_url": service.url}  # fmt: skip
    if service.channel == "whatsapp":
        return {"phone_number_id": "123456", "access_token": "wa-token", "base_url": service.url}
    if service.channel == "webhook":
        service.keys["secret"] = webhook.new_secret()
        return {"url": f"{service.url}/in", "secret": service.keys["secret"]}
    if service.channel == "webpush":
        return {"contact": "mailto:me@shop.example", "private_key": webpush.new_private_key()}
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    service.keys["public"] = key.public_key()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    given = {"project_id": "shop", "client_email": "bespoke@shop.example", "private_key": pem,
             "token_uri": f"{service.url}/token"}  # fmt: skip
    return {"service_account": json.dumps(given), "base_url": service.url}


@pytest.fixture
def give_address() -> Callable[[Service, list[Customer]], list[str]]:
    """An address on the service's channel for each customer, and consent; answers the addresses."""

    def give(service: Service, people: list[Customer]) -> list[str]:
        Consent.objects.bulk_create(
            Consent(customer=one, channel=service.channel, topic="marketing", granted=True, source="test",
                    recorded_at=datetime(2026, 1, 1, tzinfo=UTC))
            for one in people
        )  # fmt: skip
        return [_address(service, one) for one in people]

    return give


def _address(service: Service, one: Customer) -> str:
    if service.channel == "webhook":
        return str(one.external_id)
    if service.channel == "mobilepush":
        return Identifier.objects.create(customer=one, kind="push_token", value=f"token-{one.pk}").value
    if service.channel == "webpush":
        return subscribe(service, one, f"/push/{one.pk}")
    Customer.objects.filter(pk=one.pk).update(phone=f"+4420{one.pk:08d}")
    return f"+4420{one.pk:08d}"


def subscribe(service: Service, one: Customer, path: str) -> str:
    key, auth = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"
    service.keys[path] = (key, auth)
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    endpoint = service.url + path
    PushSubscription.objects.create(
        customer=one, endpoint=endpoint, endpoint_hash=PushSubscription.hash_of(endpoint),
        p256dh=b64(point), auth=b64(auth), seen_at=timezone.now(),
    )  # fmt: skip
    return path


@pytest.fixture
def prepare(open_service, make_account, give_address, make_customers, make_campaign) -> Any:
    def make(channel: str, n: int = 3, **account: Any) -> Any:
        service = open_service(channel)
        make_account(service, **account)
        people = make_customers(n, consent=False)
        addresses = give_address(service, people)
        campaign = make_campaign(channel=channel, drafts=(DRAFTS[channel],))
        return service, services.launch(campaign, actor="test"), addresses

    return make
