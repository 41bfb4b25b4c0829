"""Single sign-on against a provider that speaks OpenID Connect, honest and hostile."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlparse

import pytest
import requests
from django.core.management import call_command
from django.test import Client

from personalization.access.models import AuditEntry, ExternalIdentity, StaffSession, User
from personalization.access.signing_in import second_factor
from tests.access.identity_provider import CLIENT, SECRET, Provider, serve

pytestmark = pytest.mark.django_db
LIES = [
    "issuer", "audience", "audiences", "authorized party", "nonce", "no nonce", "expired", "no expiry",
    "no subject", "alg none", "alg HS256", "key", "no token",
]  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with serve() as provider:
        yield provider


@pytest.fixture
def provider(running: Provider, settings, quick_passwords) -> Provider:
    call_command("ensure_roles", verbosity=0)
    settings.OIDC_ISSUER, settings.SITE_URL = running.issuer, "http://testserver"
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT, SECRET
    settings.OIDC_ROLES = {"marketing": "Author", "chiefs": "Administrator"}
    running.lie = ""
    running.person = {"sub": "u-1", "preferred_username": "grace", "groups": ["marketing"]}
    return running


def go(client: Client, query: str = "") -> str:
    """Through the provider and back; where the product sends the browser in the end."""
    away = client.get(f"/app/account/single-sign-on{query}")
    if not away.url.startswith("http"):
        return away.url
    back = requests.get(away.url, allow_redirects=False, timeout=5).headers["Location"]
    return client.get(back.removeprefix("http://testserver")).url


def said(client: Client) -> str:
    return client.get("/admin/login/").content.decode()


def test_a_newcomer_gets_the_role_of_the_group(provider: Provider) -> None:
    client = Client()
    assert go(client, "?next=/app/campaigns/") == "/app/campaigns/"
    grace = User.objects.get()
    assert grace.username == "grace" and not grace.has_usable_password() and not grace.is_superuser
    assert list(grace.groups.values_list("name", flat=True)) == ["Author"]
    assert client.get("/app/campaigns/").status_code == 200
    assert StaffSession.objects.get().method == "single_sign_on"
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {
        "staff.created", "staff.roles", "staff.signed_in",
    }  # fmt: skip


def test_pkce_state_and_nonce_are_new_each_time(provider: Provider) -> None:
    asked = [parse_qs(urlparse(Client().get("/app/account/single-sign-on").url).query) for _ in range(2)]
    for name in ("code_challenge", "state", "nonce"):
        assert asked[0][name] != asked[1][name]
        assert len(asked[0][name][0]) >= 20
    assert asked[0]["redirect_uri"] == ["http://testserver/app/account/single-sign-on/callback"]


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_cannot_be_trusted_lets_nobody_in(provider: Provider, lie: str) -> None:
    provider.lie = lie
    client = Client()
    assert go(client) == "/admin/login/"
    assert "could not be trusted" in said(client)
    assert not User.objects.exists()
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("lie", ["discovery", "broken"])
def test_a_provider_that_is_not_itself_is_not_gone_to(provider: Provider, lie: str) -> None:
    provider.lie = lie
    client = Client()
    assert go(client) == "/admin/login/"
    assert "does not answer as it should" in said(client)


def test_a_provider_that_is_down_is_told_of(provider: Provider, settings) -> None:
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    client = Client()
    assert go(client) == "/admin/login/"
    assert "does not answer as it should" in said(client)


def test_an_answer_meant_for_another_browser_is_refused(provider: Provider) -> None:
    away = Client().get("/app/account/single-sign-on")
    back = requests.get(away.url, allow_redirects=False, timeout=5).headers["Location"]
    victim = Client()
    assert victim.get(back.removeprefix("http://testserver")).url == "/admin/login/"
    assert not User.objects.exists()


def test_an_answer_opens_once(provider: Provider) -> None:
    client = Client()
    away = client.get("/app/account/single-sign-on")
    back = requests.get(away.url, allow_redirects=False, timeout=5).headers["Location"]
    back = back.removeprefix("http://testserver")
    assert client.get(back).url == "/admin/"
    client.post("/admin/logout/")
    assert client.get(back).url == "/admin/login/"


def test_who_said_no_at_the_provider_is_told_so(provider: Provider) -> None:
    client = Client()
    client.get("/app/account/single-sign-on")
    client.get("/app/account/single-sign-on/callback?error=access_denied&state=x")
    assert "did not let you in" in said(client)


def test_without_a_role_nobody_is_made(provider: Provider) -> None:
    provider.person["groups"] = ["warehouse"]
    client = Client()
    assert go(client) == "/admin/login/"
    assert "None of your groups has a role" in said(client)
    assert not User.objects.exists()


def test_roles_follow_the_groups_at_each_sign_in(provider: Provider) -> None:
    first, second = Client(), Client()
    go(first)
    provider.person["groups"] = ["chiefs"]
    go(second)
    assert list(User.objects.get().groups.values_list("name", flat=True)) == ["Administrator"]
    provider.person["groups"] = []
    assert go(Client()) == "/admin/login/"
    assert not User.objects.get().groups.exists()
    assert [client.get("/app/account/").status_code for client in (first, second)] == [302, 302]


def test_a_name_that_is_taken_is_not_taken_over(provider: Provider) -> None:
    User.objects.create_superuser("Grace", email="grace@shop.example")
    provider.person |= {"email": "grace@shop.example", "email_verified": True}
    client = Client()
    assert go(client) == "/admin/login/"
    assert "An account of that name exists" in said(client)
    assert not ExternalIdentity.objects.exists()


def test_an_account_is_connected_by_its_owner(provider: Provider) -> None:
    ada = User.objects.create_superuser("ada", password="correct horse battery")
    client = Client()
    client.force_login(ada)
    assert go(client, "?connect=1") == "/app/account/"
    client.logout()
    assert go(client) == "/admin/"
    assert int(client.session["_auth_user_id"]) == ada.pk
    client.post("/app/account/single-sign-on/disconnect")
    assert not ExternalIdentity.objects.exists()


def test_an_identity_belongs_to_one_account(provider: Provider) -> None:
    go(Client())
    other = Client()
    other.force_login(User.objects.create_superuser("ada"))
    assert go(other, "?connect=1") == "/app/account/"
    assert "belongs to another account" in other.get("/app/account/").content.decode()
    assert ExternalIdentity.objects.get().user.username == "grace"


def test_who_has_no_password_cannot_disconnect(provider: Provider) -> None:
    client = Client()
    go(client)
    client.post("/app/account/single-sign-on/disconnect")
    assert ExternalIdentity.objects.exists()


def test_an_account_that_is_switched_off_stays_out(provider: Provider) -> None:
    go(Client())
    User.objects.update(is_active=False)
    client = Client()
    assert go(client) == "/admin/login/"
    assert "switched off" in said(client)


def test_the_second_factor_is_asked_unless_the_provider_asked_for_one(provider: Provider) -> None:
    go(Client())
    factor = second_factor.prepare(User.objects.get())
    factor.confirmed_at = User.objects.get().date_joined
    factor.save()
    assert go(Client()) == "/app/account/code"
    provider.person["amr"] = ["pwd", "otp"]
    assert go(Client()) == "/admin/"


def test_nobody_is_sent_to_a_strangers_page(provider: Provider) -> None:
    assert go(Client(), "?next=https://evil.example/") == "/admin/"


def test_it_is_off_by_default(settings) -> None:
    client = Client()
    assert client.get("/app/account/single-sign-on").status_code == 404
    assert client.get("/app/account/single-sign-on/callback?code=x&state=y").status_code == 404
    assert "Log in with" not in said(client)


def test_passwords_can_be_switched_off(provider: Provider, settings) -> None:
    settings.PASSWORD_SIGN_IN = False
    User.objects.create_superuser("ada", password="correct horse battery")
    client = Client()
    answer = client.post("/admin/login/", {"username": "ada", "password": "correct horse battery"})
    assert "Passwords are switched off here" in answer.content.decode()
    assert client.get("/admin/").status_code == 302
