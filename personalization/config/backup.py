"""One file with everything that cannot be made again: the database, trained models, uploaded pictures.

A tar of `database.dump` (pg_dump's own format), `models/…`, `media/…` and `manifest.json`, readable by its
owner alone, and sealed with a key of its own where `BACKUP_KEY_DIR` says where keys are kept. Journals are
not in it: they tell what was handed to the mail server after the backup, and stay where they are. Putting it
back replaces the whole database in one transaction, or changes nothing.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from personalization.config.sealing import Damaged, SealedWriter, name_of_key, unseal
from personalization.config.supervisor import postgres_binaries
from personalization.config.supervisor.problems import StartError
from personalization.privacy import backup_keys

FORMAT = 1
DUMP, MANIFEST = "database.dump", "manifest.json"


class BackupError(Exception):
    """The sentence says what to do."""


def write_backup(
    file: Path, *, folders: Mapping[str, Path], database: BaseDatabaseWrapper = connection
) -> dict[str, Any]:
    """Answers the manifest. The file appears whole or not at all. Raises BackupError."""
    target = _Server.of(database)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".backup-") as folder:
            dump = Path(folder) / DUMP
            target.run("pg_dump", "--format=custom", "--no-owner", "--no-acl", f"--file={dump}")
            manifest = {
                "format": FORMAT, "made_at": datetime.now(UTC).isoformat(), "sha256": _sha256(dump),
                "migrations": _applied(database),
            }  # fmt: skip
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out, _tar_into(out) as tar:
                _add_text(tar, MANIFEST, json.dumps(manifest, indent=1))
                tar.add(dump, DUMP)
                for name, source in folders.items():
                    if source.is_dir():
                        tar.add(source, name)
        fresh.rename(file)
    except OSError as error:
        raise BackupError(f"{file} cannot be written: {error.strerror}.") from error
    finally:
        fresh.unlink(missing_ok=True)
    return manifest


@contextmanager
def _tar_into(out: IO[bytes]) -> Iterator[tarfile.TarFile]:
    if backup_keys.folder() is None:
        with tarfile.open(fileobj=out, mode="w") as tar:
            yield tar
        return
    name, key = backup_keys.new_key()
    sealed = SealedWriter(out, name=name, key=key)
    with tarfile.open(fileobj=sealed, mode="w|") as tar:  # type: ignore[call-overload]  # it only writes
        yield tar
    sealed.close()


@contextmanager
def _tar_of(file: Path, folder: str) -> Iterator[tarfile.TarFile]:
    """Of a sealed file the opened one lies in `folder` for so long. Raises BackupError."""
    name = name_of_key(file)
    if name is not None:
        opened = Path(folder) / "opened.tar"
        try:
            with opened.open("xb") as out:
                unseal(file, out, key=backup_keys.read_key(name))
        except backup_keys.NoKey as error:
            raise BackupError(
                f"The key {name} of this backup is not in BACKUP_KEY_DIR: where it was destroyed, nobody can "
                "read the backup any more."
            ) from error
        except Damaged as error:
            raise BackupError("The file is damaged: it cannot be opened with its key.") from error
        file = opened
    with tarfile.open(file) as tar:
        yield tar


def read_manifest(tar: tarfile.TarFile) -> dict[str, Any]:
    """Raises BackupError for what is no backup of ours."""
    try:
        part = tar.extractfile(MANIFEST)
        manifest = json.load(part) if part else {}
    except (KeyError, ValueError):
        manifest = {}
    if manifest.get("format") != FORMAT:
        raise BackupError("The file is no backup that this version can read.")
    return dict(manifest)


def put_back(
    file: Path, *, folders: Mapping[str, Path], database: BaseDatabaseWrapper = connection
) -> dict[str, Any]:
    """Replaces the database and the folders; answers the manifest. Raises BackupError before anything
    changed, or when PostgreSQL refuses, which takes back what it did."""
    target = _Server.of(database)
    try:
        with tempfile.TemporaryDirectory(prefix="restore-") as folder, _tar_of(file, folder) as tar:
            manifest = read_manifest(tar)
            _must_know(manifest["migrations"], database)
            dump = Path(folder) / DUMP
            _write_out(tar, tar.getmember(DUMP), dump)
            if _sha256(dump) != manifest["sha256"]:
                raise BackupError("The file is damaged: its database is not the one that was written.")
            _must_be_alone(database)
            database.close()
            target.replace(dump)
            for name, place in folders.items():
                _put_folder_back(tar, name, place)
    except (OSError, tarfile.TarError, KeyError) as error:
        raise BackupError(f"{file} cannot be read: {error}.") from error
    return manifest


class _Server:
    """PostgreSQL's own programs, of the server's version or newer, aimed at one database."""

    def __init__(self, binaries: postgres_binaries.Binaries, environment: Mapping[str, str]) -> None:
        self.binaries = binaries
        self.environment = {**binaries.env, **environment}

    @classmethod
    def of(cls, database: BaseDatabaseWrapper) -> "_Server":
        with database.cursor() as cursor:
            cursor.execute("SHOW server_version_num")
            major = int(cursor.fetchone()[0]) // 10_000
        try:
            binaries = postgres_binaries.find(needed=major)
        except StartError as error:
            raise BackupError(
                f"pg_dump of PostgreSQL {major} is needed, as the server is. Install it "
                f"(Debian: apt-get install postgresql-{major}), or name its folder in PG_BIN."
            ) from error
        names = database.settings_dict
        given = {
            "PGHOST": names["HOST"], "PGPORT": names["PORT"], "PGUSER": names["USER"],
            "PGPASSWORD": names["PASSWORD"], "PGDATABASE": names["NAME"],
        }  # fmt: skip
        return cls(binaries, {name: str(value) for name, value in given.items() if value})

    def run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603
            [self.binaries.folder / program, *arguments], env=self.environment, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise BackupError(f"{program} says: {done.stderr.strip()[-500:]}")

    def replace(self, dump: Path) -> None:
        """All in one transaction: committed only when pg_restore wrote the whole script."""
        with self._psql() as script:
            script.write(b"BEGIN; DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n")
            script.flush()
            done = subprocess.run(  # noqa: S603
                [self.binaries.folder / "pg_restore", "--no-owner", "--no-acl", "--file=-", dump],
                env=self.environment, stdout=script, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            script.write(b"\nCOMMIT;\n" if done.returncode == 0 else b"\nROLLBACK;\n")
        if done.returncode != 0:
            raise BackupError(f"Nothing was changed. pg_restore says: {done.stderr.strip()[-500:]}")

    @contextmanager
    def _psql(self) -> Iterator[IO[bytes]]:
        command = [str(self.binaries.folder / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        with tempfile.TemporaryFile() as told:
            process = subprocess.Popen(  # noqa: S603
                command, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=told
            )
            assert process.stdin is not None
            try:
                yield process.stdin
                process.stdin.close()
            except BrokenPipeError:
                pass  # psql gave up; what it says is below
            if process.wait() != 0:
                told.seek(0)
                raise BackupError(f"Nothing was changed. psql says: {told.read().decode().strip()[-500:]}")


def _applied(database: BaseDatabaseWrapper) -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(database).applied_migrations())


def _must_know(migrations: list[str], database: BaseDatabaseWrapper) -> None:
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if newer := sorted(set(migrations) - known):
        raise BackupError(
            f"The backup was made by a newer version: {newer[0]} is unknown here. Install that one."
        )


def _must_be_alone(database: BaseDatabaseWrapper) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        if others := cursor.fetchone()[0]:
            raise BackupError(
                f"{others} other connections use the database. Stop the web, the workers and beat first."
            )


def _put_folder_back(tar: tarfile.TarFile, name: str, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for member in tar.getmembers():
        if not member.isfile() or not member.name.startswith(f"{name}/"):
            continue
        to = (place / member.name.removeprefix(f"{name}/")).resolve()
        if not to.is_relative_to(place.resolve()):
            raise BackupError(f"The file is damaged: {member.name} leads out of its folder.")
        _write_out(tar, member, to)


def _write_out(tar: tarfile.TarFile, member: tarfile.TarInfo, to: Path) -> None:
    """By hand: the filters with which tarfile makes this safe are not in the Python 3.11 of Debian 12."""
    part = tar.extractfile(member)
    assert part is not None  # no folder and no link
    to.parent.mkdir(parents=True, exist_ok=True)
    with part, to.open("wb") as file:
        shutil.copyfileobj(part, file)


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    part = tarfile.TarInfo(name)
    part.size = len(text.encode())
    tar.addfile(part, io.BytesIO(text.encode()))


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
