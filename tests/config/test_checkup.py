"""What `manage.py doctor` says when something is wrong: what it is, and what to do."""

from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.core.management import call_command
from django.db import OperationalError

from campaigns.senders.domain_check import Finding
from personalization.config import checkup, checkup_database, checkup_settings

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def well(settings: Any, tmp_path: Path) -> Any:
    """Settings with which nothing is wrong."""
    settings.SECRET_KEY, settings.DEBUG = "k" * 50, False
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://mail.shop.example", ["mail.shop.example"]
    settings.DATA_DIR, settings.JOURNAL_DIR = tmp_path, tmp_path / "journal"
    settings.BACKUP_KEY_DIR = str(tmp_path / "backup-keys")
    settings.INBOX_URL, settings.DEFAULT_SENDER = "http://127.0.0.1:8025", "hello@shop.example"
    return settings


CHECKS = (
    checkup_settings.secret_key, checkup_settings.debug, checkup_settings.address, checkup_settings.disk,
    checkup_settings.backups, checkup_settings.sender,
)  # fmt: skip


def test_nothing_is_said_against_what_is_right(well: Any) -> None:
    assert [check()[0] for check in CHECKS] == [True] * len(CHECKS)


@pytest.mark.parametrize(
    ("name", "value", "check", "sentence"),
    [
        ("SECRET_KEY", "short", checkup_settings.secret_key, "Give 50 random characters"),
        ("DEBUG", True, checkup_settings.debug, "Set DEBUG=0"),
        ("ALLOWED_HOSTS", ["other.example"], checkup_settings.address, "does not name mail.shop.example"),
        ("SITE_URL", "mail.shop.example", checkup_settings.address, "give the whole address"),
        ("DATA_DIR", Path("/nowhere"), checkup_settings.disk, "does not exist"),
        ("BACKUP_KEY_DIR", "", checkup_settings.backups, "Set BACKUP_KEY_DIR"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(
    well: Any, name: str, value: object, check: Any, sentence: str
) -> None:
    setattr(well, name, value)
    is_well, said = check()
    assert not is_well and sentence in said


def test_a_journal_on_a_full_disk_is_named_though_the_data_folder_has_room(
    well: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    well.JOURNAL_DIR = tmp_path / "small" / "journal"
    (tmp_path / "small").mkdir()
    free = {tmp_path: 2**40, tmp_path / "small": 2**20}
    monkeypatch.setattr(checkup_settings.shutil, "disk_usage", lambda place: Usage(0, 0, free[place]))
    assert checkup_settings.disk() == (False, f"only 1 MB are free for {well.JOURNAL_DIR}. Free some space.")


def test_a_domain_that_may_not_send_is_named_only_where_mail_leaves(
    well: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def check_domain(domain: str) -> list[Finding]:
        asked.append(domain)
        return [Finding("SPF", "error", "There is no SPF record."), Finding("MX", "ok", "fine")]

    monkeypatch.setattr(checkup_settings, "check_domain", check_domain)
    assert checkup_settings.sender()[0] and asked == []
    well.INBOX_URL = ""
    assert checkup_settings.sender() == (False, "shop.example: SPF: There is no SPF record.")


class Cursor:
    """Answers the database's time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> "Cursor":
        return self

    def __exit__(self, *_: object) -> None: ...

    def execute(self, _sql: str) -> None: ...

    def fetchone(self) -> tuple[float]:
        return (self.seconds,)


def test_a_clock_that_differs_from_the_databases_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup.time, "time", lambda: 1_000.0)
    for theirs, is_well in ((1_003.0, True), (1_060.0, False), (940.0, False)):
        database = SimpleNamespace(cursor=lambda theirs=theirs: Cursor(theirs))
        monkeypatch.setattr(checkup, "connection", database)
        assert checkup._clock()[0] is is_well
    assert "60 seconds" in checkup._clock()[1] and "NTP" in checkup._clock()[1]


def test_without_its_servers_it_says_which_do_not_answer(
    well: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def gone(*_: object, **__: object) -> Any:
        raise OperationalError

    def away(*_: object, **__: object) -> Any:
        raise redis.ConnectionError

    monkeypatch.setattr(checkup, "connection", SimpleNamespace(cursor=gone, settings_dict={}))
    monkeypatch.setattr(checkup, "MigrationExecutor", gone)
    for check in ("connections", "indexes", "references"):
        monkeypatch.setattr(checkup_database, check, gone)
    monkeypatch.setattr(checkup.redis.Redis, "from_url", away)
    monkeypatch.setattr(checkup, "heartbeat_age", away)
    monkeypatch.setattr(checkup.celery_app.control, "ping", away)
    well.EMAIL_URL = "smtp://127.0.0.1:1"
    with pytest.raises(SystemExit) as ended:
        call_command("doctor")
    assert ended.value.code == 1
    bad = [line for line in capsys.readouterr().out.splitlines() if "BAD" in line]
    assert [line.split(":")[0].split("BAD")[1].strip() for line in bad] == [
        "Database", "Migrations", "Connections", "Indexes", "References", "Redis", "Clock", "Worker", "Beat",
        "Mail server",
    ]  # fmt: skip
    assert "DATABASE_URL" in bad[0] and "REDIS_URL" in bad[5] and "EMAIL_URL" in bad[-1]


def test_a_server_that_tells_nobody_its_settings_is_taken_as_it_should_be() -> None:
    class Hired:
        def config_get(self, _name: str) -> dict[str, str]:
            raise redis.ResponseError("unknown command 'CONFIG'")

    assert checkup._asked(Hired(), "appendonly", "yes") == "yes"  # type: ignore[arg-type]
