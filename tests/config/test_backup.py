"""A backup is worth what can be put back from it: written, put into an empty database, compared."""

import io
import json
import os
import signal
import tarfile
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections
from django.utils import timezone

from campaigns.models import Run, RunStatus
from personalization.config import backup, backup_server
from personalization.config.management.commands.restore import pause_what_was_sent
from personalization.customers.models import Customer
from personalization.privacy import backup_keys, requests
from tests.privacy.making import make_row

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def empty_database():
    """A connection to another database of the same server."""
    settings = dict(connection.settings_dict)
    name = f"{settings['NAME']}_put_back"
    server = psycopg.connect(
        host=settings["HOST"], port=settings["PORT"], user=settings["USER"], password=settings["PASSWORD"],
        dbname="postgres", autocommit=True,
    )  # fmt: skip
    server.execute(f'DROP DATABASE IF EXISTS "{name}"')
    server.execute(f'CREATE DATABASE "{name}"')
    other = connections.create_connection(connection.alias)
    other.settings_dict = settings | {"NAME": name}
    try:
        yield other
    finally:
        other.close()
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.close()


@pytest.fixture(autouse=True)
def interruptible():
    """Putting back ignores Ctrl-C from the moment on in which all is replaced."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def often(monkeypatch) -> None:
    monkeypatch.setattr(backup_server, "EVERY_SECONDS", 0.001)


def rows(cursor) -> list[tuple]:
    cursor.execute("SELECT external_id, first_name FROM customers_customer ORDER BY id")
    return cursor.fetchall()


def test_what_was_backed_up_is_put_back_whole_and_a_damaged_file_changes_nothing(tmp_path: Path) -> None:
    Customer.objects.create(external_id="ada", first_name="阿达", created_at=timezone.now())
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "1.npz").write_bytes(b"weights")
    file = tmp_path / "bespoke.tar"
    backup.write_backup(file, folders={"models": tmp_path / "models"})
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []
    with empty_database() as other:
        with other.cursor() as cursor:
            cursor.execute("CREATE TABLE left_over (id int)")
        backup.put_back(file, folders={"models": tmp_path / "back"}, database=other)
        with other.cursor() as cursor:
            assert rows(cursor) == [("ada", "阿达")]
            cursor.execute("SELECT to_regclass('left_over')")
            assert cursor.fetchone() == (None,)
            cursor.execute("SELECT count(*) FROM django_migrations")
            restored = cursor.fetchone()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM django_migrations")
            assert cursor.fetchone() == restored
        assert (tmp_path / "back" / "1.npz").read_bytes() == b"weights"
        _refuses_what_is_damaged(tmp_path, file, other)


def _refuses_what_is_damaged(folder: Path, file: Path, other) -> None:
    cases = {
        "damaged": lambda manifest: manifest | {"sha256": "0" * 64},
        "newer version": lambda manifest: manifest | {"migrations": ["customers.9999_future"]},
        "no backup": lambda manifest: {},
    }
    for sentence, change in cases.items():
        broken = folder / "broken.tar"
        with tarfile.open(file) as old, tarfile.open(broken, "w") as new:
            manifest = json.load(old.extractfile("manifest.json"))
            backup._add_text(new, "manifest.json", json.dumps(change(manifest)))
            new.addfile(old.getmember("database.dump"), old.extractfile("database.dump"))
        with pytest.raises(backup.BackupError, match=sentence):
            backup.put_back(broken, folders={}, database=other)
    with other.cursor() as cursor:
        assert rows(cursor) == [("ada", "阿达")]


@pytest.mark.parametrize("name", ["models/../../out", "models//etc/out"])
def test_a_file_that_leads_out_of_its_folder_is_not_written(tmp_path: Path, name: str) -> None:
    file = tmp_path / "hostile.tar"
    with tarfile.open(file, "w") as tar:
        backup._add_text(tar, name, "x")
    with tarfile.open(file) as tar, pytest.raises(backup.BackupError, match="leads out"):
        backup._put_folder_back(tar, "models", tmp_path / "deep" / "models")
    assert not (tmp_path / "out").exists()


def test_folders_are_put_back_without_what_only_newer_pythons_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(tarfile, "data_filter")
    monkeypatch.delattr(tarfile.TarFile, "extract")
    file = tmp_path / "some.tar"
    with tarfile.open(file, "w") as tar:
        backup._add_text(tar, "models/deep/1.json", "{}")
    with tarfile.open(file) as tar:
        backup._put_folder_back(tar, "models", tmp_path / "models")
    assert (tmp_path / "models" / "deep" / "1.json").read_text() == "{}"


def test_without_anybody_who_types_yes_nothing_is_put_back(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="give --yes"):
        call_command("restore", str(tmp_path / "none.tar"))


def test_a_destroyed_key_leaves_nothing_of_an_erased_person_in_an_older_backup(
    tmp_path: Path, settings
) -> None:
    settings.BACKUP_KEY_DIR, settings.BACKUP_RETENTION_DAYS = str(tmp_path / "keys"), 30
    customer = Customer.objects.create(
        external_id="zelda-4711", first_name="Zelda", created_at=timezone.now()
    )
    file = tmp_path / "backups" / "monday.tar"
    file.parent.mkdir()
    backup.write_backup(file, folders={})
    assert b"zelda" not in file.read_bytes().lower()
    assert b"PGDMP" not in file.read_bytes()
    erased = requests.ask_erasure(customer.pk, actor="user:kim")
    requests.carry_out(erased.pk)
    erased.refresh_from_db()
    until = datetime.fromisoformat(erased.certificate["sealed_backups_readable_until"])
    with empty_database() as other:
        backup.put_back(file, folders={}, database=other)
        with other.cursor() as cursor:  # until then the backup is one that can be put back
            assert rows(cursor) == [("zelda-4711", "Zelda")]
        [key] = (tmp_path / "keys").glob("*.key")
        assert key.stat().st_mode & 0o777 == 0o600
        assert backup_keys.destroy_old_keys() == []
        made = (until - timedelta(days=62)).timestamp()
        os.utime(key, (made, made))
        assert backup_keys.destroy_old_keys() == [key.stem]
        assert [one.name for one in (tmp_path / "keys").iterdir()] == ["erased.jsonl"]
        with pytest.raises(backup.BackupError, match="nobody can read"):
            backup.put_back(file, folders={}, database=other)


def test_it_is_not_put_back_while_somebody_works_with_the_database(tmp_path: Path) -> None:
    file = tmp_path / "bespoke.tar"
    backup.write_backup(file, folders={})
    with empty_database() as other:
        settings = other.settings_dict
        with (
            psycopg.connect(
                host=settings["HOST"], port=settings["PORT"], user=settings["USER"],
                password=settings["PASSWORD"], dbname=settings["NAME"],
            ),
            pytest.raises(backup.BackupError, match="Stop the web"),
        ):  # fmt: skip
            backup.put_back(file, folders={}, database=other)


def test_after_a_restore_nothing_goes_on_sending_by_itself() -> None:
    sending = make_row(Run, {}, "plain")
    Run.objects.filter(pk=sending.pk).update(status=RunStatus.SENDING)
    assert pause_what_was_sent() == 1
    assert Run.objects.get(pk=sending.pk).status == RunStatus.PAUSED


def test_both_say_how_far_they_are(tmp_path: Path, often) -> None:
    told: list[float] = []
    file = tmp_path / "bespoke.tar"
    backup.write_backup(file, folders={}, tell=told.append)
    assert len(told) > 2 and told == sorted(told) and told[-1] == 1
    told.clear()
    with empty_database() as other:
        backup.put_back(file, folders={}, database=other, tell=told.append)
    assert len(told) > 2 and told == sorted(told) and 0.8 < told[-1] <= 1


def test_a_large_table_is_told_by_its_rows() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE large AS SELECT repeat('x', 100) FROM generate_series(1, 200000)")
        cursor.execute("ANALYZE large")
        read = backup_server.RowsRead(connection)
        assert read.share() == 0
        names = connection.settings_dict
        with psycopg.connect(
            host=names["HOST"], port=names["PORT"], user=names["USER"], password=names["PASSWORD"],
            dbname=names["NAME"],
        ) as other, other.cursor().copy("COPY large TO STDOUT") as copy:  # fmt: skip
            copy.read()
            under_way = read.share()
            for _row in copy:
                pass
        cursor.execute("SELECT pg_table_size('large')::float / sum(pg_table_size(oid)) FROM pg_class"
                       " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")  # fmt: skip
        [share] = cursor.fetchone()
        assert 0 < under_way < share
        assert read.share() == pytest.approx(share)
        cursor.execute("DROP TABLE large")


def interrupt_after(share: float):
    def tell(now: float) -> None:
        if now > share:
            raise KeyboardInterrupt

    return tell


@pytest.mark.parametrize("share", [-1.0, backup.DUMPED])
def test_a_backup_that_is_interrupted_leaves_nothing(tmp_path: Path, settings, often, share: float) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    settings.BACKUP_KEY_DIR = str(tmp_path / "keys")
    with pytest.raises(KeyboardInterrupt):
        backup.write_backup(folder / "bespoke.tar", folders={}, tell=interrupt_after(share))
    assert list(folder.iterdir()) == []
    assert list((tmp_path / "keys").glob("*")) == []


def test_putting_back_that_is_interrupted_changes_nothing(tmp_path: Path, often) -> None:
    file = tmp_path / "bespoke.tar"
    backup.write_backup(file, folders={})
    with empty_database() as other:
        with other.cursor() as cursor:
            cursor.execute("CREATE TABLE left_over (id int)")
        with pytest.raises(KeyboardInterrupt):
            backup.put_back(file, folders={}, database=other, tell=interrupt_after(backup.OPENED))
        with other.cursor() as cursor:
            cursor.execute("SELECT to_regclass('left_over')::text, to_regclass('customers_customer')::text")
            assert cursor.fetchone() == ("left_over", None)


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_command_that_is_interrupted_says_what_became_of_it(command, tmp_path: Path, monkeypatch) -> None:
    def interrupt(*_arguments, **_options) -> None:
        raise KeyboardInterrupt

    for module, work in (("backup", "write_backup"), ("restore", "put_back")):
        monkeypatch.setattr(f"personalization.config.management.commands.{module}.{work}", interrupt)
    options = ["--yes"] if command == "restore" else []
    with pytest.raises(CommandError, match="Interrupted: nothing was"):
        call_command(command, str(tmp_path / "bespoke.tar"), *options)
