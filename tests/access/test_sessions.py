"""Where staff are logged in: seen, told apart, ended."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client

from personalization.access.models import AuditEntry, StaffSession, User
from personalization.access.signing_in.sessions import describe_device

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)


def log_in(agent: str, address: str = "203.0.113.77") -> Client:
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    client.post("/admin/login/", {"username": "ada", "password": PASSWORD})
    return client


@pytest.fixture(autouse=True)
def member(quick_passwords: None) -> User:
    return User.objects.create_user("ada", password=PASSWORD, is_staff=True)


def is_in(client: Client) -> bool:
    return client.get("/app/account/").status_code == 200


def test_a_browser_is_told_by_its_program_and_system() -> None:
    assert describe_device(FIREFOX) == "Firefox · Windows"
    assert describe_device(PHONE) == "Mobile Safari · iOS"
    assert describe_device("") == ""


def test_of_the_address_only_the_network_is_kept() -> None:
    log_in(FIREFOX)
    log_in(PHONE, "2001:db8:1:2::77")
    assert set(StaffSession.objects.values_list("network", flat=True)) == {
        "203.0.113.0/24",
        "2001:db8:1::/48",
    }


def test_logging_out_everywhere_else_leaves_this_browser() -> None:
    here, there, elsewhere = log_in(FIREFOX), log_in(PHONE), log_in(PHONE)
    assert "Mobile Safari · iOS" in here.get("/app/account/").content.decode()
    here.post("/app/account/sessions/others/end")
    assert [is_in(client) for client in (here, there, elsewhere)] == [True, False, False]
    assert AuditEntry.objects.filter(action="session.ended").count() == 2


def test_one_browser_can_be_logged_out() -> None:
    here, there = log_in(FIREFOX), log_in(PHONE)
    row = StaffSession.objects.get(device__startswith="Mobile")
    here.post(f"/app/account/sessions/{row.pk}/end")
    assert (is_in(here), is_in(there)) == (True, False)


def test_nobody_ends_the_session_of_another() -> None:
    ada = log_in(FIREFOX)
    bob = Client()
    bob.force_login(User.objects.create_user("bob", is_staff=True))
    bob.post(f"/app/account/sessions/{StaffSession.objects.get(user__username='ada').pk}/end")
    assert is_in(ada)


def test_the_last_use_is_true_to_five_minutes() -> None:
    with time_machine.travel(datetime(2026, 5, 4, 10, tzinfo=UTC), tick=False) as clock:
        client = log_in(FIREFOX)
        clock.shift(240)
        is_in(client)
        assert StaffSession.objects.get().last_used_at.minute == 0
        clock.shift(120)
        is_in(client)
        assert StaffSession.objects.get().last_used_at.minute == 6


def test_the_row_goes_with_the_session() -> None:
    client = log_in(FIREFOX)
    client.post("/admin/logout/")
    assert not StaffSession.objects.exists()
    log_in(FIREFOX)
    Session.objects.update(expire_date=datetime(2020, 1, 1, tzinfo=UTC))
    call_command("clearsessions")
    assert not StaffSession.objects.exists()


def test_a_program_with_a_key_leaves_no_session() -> None:
    Client(headers={"Authorization": "Bearer bsp_x_y"}).get("/api/v1/segments")
    assert not Session.objects.exists()


def test_an_administrator_logs_somebody_out() -> None:
    ada = log_in(FIREFOX)
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    chosen = {"action": "log_out", "_selected_action": [User.objects.get(username="ada").pk]}
    root.post("/admin/access/user/", chosen)
    assert not is_in(ada)


def test_the_language_is_chosen_before_the_log_in(client):
    page = client.get(
        "/admin/login/?next=/app/campaigns/", headers={"accept-language": "en"}
    ).content.decode()
    assert 'name="language" value="zh-hans"' in page and "Log in" in page
    answer = client.post(
        "/i18n/setlang/", {"language": "zh-hans", "next": "/admin/login/?next=/app/campaigns/"}
    )
    assert answer.url == "/admin/login/?next=/app/campaigns/"
    assert "登录" in client.get(answer.url, headers={"accept-language": "en"}).content.decode()
