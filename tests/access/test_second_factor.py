"""Codes as RFC 6238 computes them, each taken once; recovery codes; roles that need a second factor."""

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client

from personalization.access.models import AuditEntry, RecoveryCode, RoleRule, SecondFactor, User
from personalization.access.signing_in import second_factor

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 4, 10, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture
def member(quick_passwords: None) -> User:
    return User.objects.create_user("ada", password=PASSWORD, is_staff=True)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def factor(member: User, clock) -> SecondFactor:
    prepared = second_factor.prepare(member)
    assert second_factor.confirm(member, code_now(prepared))
    clock.shift(60)
    return SecondFactor.objects.get()


def code_now(factor: SecondFactor, *, shift: int = 0) -> str:
    return pyotp.TOTP(factor.secret).at(datetime.now(UTC) + timedelta(seconds=shift))


def give_password(client: Client, *, password: str = PASSWORD, going_to: str = ""):
    address = f"/admin/login/?next={going_to}" if going_to else "/admin/login/"
    return client.post(address, {"username": "ada", "password": password, "next": going_to})


def test_the_codes_are_those_of_the_rfc(member: User) -> None:
    """RFC 6238, appendix B: secret 12345678901234567890, SHA-1, the last six of its eight digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    SecondFactor.objects.create(user=member, secret=secret, confirmed_at=NOW)
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (2000000000, "279037")):
        with time_machine.travel(datetime.fromtimestamp(seconds, UTC), tick=False):
            assert second_factor.check(member, code)


def test_the_secret_is_not_in_the_database_as_it_is(factor: SecondFactor) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM access_secondfactor")
        assert factor.secret not in cursor.fetchone()[0]


def test_a_code_opens_once(member: User, factor: SecondFactor) -> None:
    code = code_now(factor)
    assert second_factor.check(member, code)
    assert not second_factor.check(member, code)


def test_a_clock_may_be_half_a_minute_off_but_not_two_minutes(member: User, factor: SecondFactor) -> None:
    assert second_factor.check(member, code_now(factor, shift=30))
    assert not second_factor.check(member, code_now(factor, shift=120))


def test_five_wrong_codes_make_even_the_right_one_wait(member: User, factor: SecondFactor, clock) -> None:
    wrong = "000000" if code_now(factor) != "000000" else "000001"
    for _number in range(5):
        assert not second_factor.check(member, wrong)
    with pytest.raises(second_factor.TooManyCodesError):
        second_factor.check(member, code_now(factor))
    clock.shift(301)
    assert second_factor.check(member, code_now(factor))


def test_a_recovery_code_opens_once_and_is_kept_as_a_hash(member: User, clock) -> None:
    codes = second_factor.confirm(member, code_now(second_factor.prepare(member)))
    assert codes is not None and len(set(codes)) == 10
    kept = [bytes(row.code_hash) for row in RecoveryCode.objects.all()]
    assert not any(code.replace("-", "").encode() in blob for code in codes for blob in kept)
    assert second_factor.check(member, codes[0].upper().replace("-", " "))
    assert not second_factor.check(member, codes[0])
    assert second_factor.codes_left(member) == 9


def test_another_ones_recovery_code_opens_nothing(member: User, factor: SecondFactor) -> None:
    other = User.objects.create_user("bob", is_staff=True)
    codes = second_factor.make_recovery_codes(other)
    assert not second_factor.check(member, codes[0])


def test_the_password_alone_no_longer_opens(member: User, factor: SecondFactor) -> None:
    client = Client()
    answer = give_password(client, going_to="/app/campaigns/")
    assert answer.url == "/app/account/code"
    assert client.get("/admin/").status_code == 302
    assert "not right" in client.post("/app/account/code", {"code": "abc"}).content.decode()
    answer = client.post("/app/account/code", {"code": code_now(factor)})
    assert answer.url == "/app/campaigns/"
    assert client.get("/admin/").status_code == 200
    assert AuditEntry.objects.filter(action="staff.signed_in", detail={"method": "second_factor"}).exists()


def test_the_code_page_forgets_who_waits_after_ten_minutes(member: User, factor: SecondFactor, clock) -> None:
    client = Client()
    give_password(client)
    clock.shift(601)
    assert client.post("/app/account/code", {"code": code_now(factor)}).url == "/admin/login/"


def test_the_code_page_is_closed_to_who_gave_no_password(member: User, factor: SecondFactor) -> None:
    assert Client().post("/app/account/code", {"code": code_now(factor)}).url == "/admin/login/"


def test_setting_up_in_the_browser_shows_the_codes_once(member: User, clock) -> None:
    client = Client()
    give_password(client)
    page = client.get("/app/account/second-factor").content.decode()
    secret = SecondFactor.objects.get().secret
    assert secret in page and "data:image/svg" in page
    assert SecondFactor.objects.get().confirmed_at is None
    answer = client.post("/app/account/second-factor", {"code": pyotp.TOTP(secret).now()})
    assert len(re.findall(r"<li><code>(?:[a-z2-7]{4}-){3}[a-z2-7]{4}</code>", answer.content.decode())) == 10
    assert "no-store" in answer["Cache-Control"]
    assert AuditEntry.objects.filter(action="second_factor.on").exists()


def test_switching_off_asks_for_a_code(member: User, factor: SecondFactor) -> None:
    client = Client()
    client.force_login(member)
    client.post("/app/account/second-factor/off", {"code": "111"})
    assert SecondFactor.objects.exists()
    client.post("/app/account/second-factor/off", {"code": code_now(factor)})
    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()


@pytest.fixture
def strict(member: User) -> None:
    group = Group.objects.create(name="Strict")
    RoleRule.objects.create(group=group, second_factor_required=True)
    member.groups.add(group)


def test_a_role_that_needs_a_second_factor_opens_nothing_before(member: User, strict: None, clock) -> None:
    client = Client()
    give_password(client)
    assert client.get("/admin/").url == "/app/account/second-factor"
    assert client.get("/api/v1/segments").status_code == 403
    secret = re.search(
        r'<code class="b-break">(\w+)</code>', client.get("/app/account/second-factor").content.decode()
    )
    client.post("/app/account/second-factor", {"code": pyotp.TOTP(secret[1]).now()})
    assert client.get("/admin/").status_code == 200
    clock.shift(60)
    client.post("/app/account/second-factor/off", {"code": pyotp.TOTP(secret[1]).now()})
    assert SecondFactor.objects.exists()


def test_an_older_browser_has_to_show_the_code_too(member: User, factor: SecondFactor, strict: None) -> None:
    client = Client()
    client.force_login(member)
    assert client.get("/admin/").url == "/app/account/second-factor"
    assert "without the second factor" in client.get("/app/account/second-factor").content.decode()
    client.post("/app/account/second-factor", {"code": code_now(factor)})
    assert client.get("/admin/").status_code == 200


def test_an_administrator_helps_who_lost_the_phone(member: User, factor: SecondFactor) -> None:
    root = User.objects.create_superuser("root")
    client = Client()
    client.force_login(root)
    client.post(
        "/admin/access/user/", {"action": "switch_second_factor_off", "_selected_action": [member.pk]}
    )
    assert not SecondFactor.objects.exists()
    assert AuditEntry.objects.get(action="second_factor.off").actor == "user:root"


def test_ten_wrong_passwords_make_the_right_one_wait(member: User) -> None:
    client = Client()
    for _number in range(10):
        assert give_password(client, password="wrong").status_code == 200
    answer = give_password(client)
    assert "Too many wrong passwords" in answer.content.decode()
