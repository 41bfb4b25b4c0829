"""PostgreSQL's own programs, aimed at one database: they write a dump and put it back, and say how far."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.db.backends.base.base import BaseDatabaseWrapper

from personalization.access.jobs.work import Tell
from personalization.config.supervisor import postgres_binaries
from personalization.config.supervisor.problems import StartError

EVERY_SECONDS = 1.0
# Of putting back: rows, before indexes and constraints are made.
ROWS = 0.6


class BackupError(Exception):
    """The sentence says what to do."""


class Server:
    """The programs are of the server's version or newer."""

    def __init__(self, binaries: postgres_binaries.Binaries, environment: Mapping[str, str]) -> None:
        self.binaries = binaries
        self.environment = {**binaries.env, **environment}

    @classmethod
    def of(cls, database: BaseDatabaseWrapper) -> "Server":
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

    def dump(self, file: Path, *, database: BaseDatabaseWrapper, tell: Tell) -> None:
        """Raises BackupError."""
        read = RowsRead(database)
        trouble = self._run(
            "pg_dump", "--format=custom", "--no-owner", "--no-acl", f"--file={file}",
            tick=lambda: tell(read.share()),
        )  # fmt: skip
        if trouble is not None:
            raise BackupError(f"pg_dump says: {trouble}")

    def replace(self, dump: Path, *, tell: Tell) -> None:
        """All in one transaction: committed only when pg_restore wrote the whole script. Raises
        BackupError."""
        size, later = dump.stat().st_size, self._made_later(dump)
        with dump.open("rb") as source, tempfile.TemporaryFile() as tags:

            def tell_rows() -> None:  # the program reads at the same place of the file as we
                tell(ROWS * os.lseek(source.fileno(), 0, os.SEEK_CUR) / size)

            def tell_later() -> None:
                made = _tags(tags)
                tell(ROWS + (1 - ROWS) * min(made / later, 1.0))

            with self._psql(tags, tick=tell_later) as script:
                script.write(b"BEGIN; DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n")
                script.flush()
                trouble = self._run(
                    "pg_restore", "--no-owner", "--no-acl", "--file=-",
                    tick=tell_rows, stdin=source, stdout=script,
                )  # fmt: skip
                script.write(b"\nCOMMIT;\n" if trouble is None else b"\nROLLBACK;\n")
        if trouble is not None:
            raise BackupError(f"Nothing was changed. pg_restore says: {trouble}")

    def _made_later(self, dump: Path) -> int:
        """How many indexes and constraints are made once the rows are there."""
        listed = subprocess.run(  # noqa: S603
            [self.binaries.folder / "pg_restore", "--list", "--section=post-data", dump],
            env=self.environment, capture_output=True, text=True,
        )  # fmt: skip
        return max(sum(not line.startswith(";") for line in listed.stdout.splitlines()), 1)

    def _run(self, program: str, *arguments: str, tick: Callable[[], None], **streams: Any) -> str | None:
        """What it says when it fails; None when it does not."""
        command = [str(self.binaries.folder / program), *arguments]
        with tempfile.TemporaryFile() as told:
            streams = {"stdout": subprocess.DEVNULL, "stderr": told, **streams}
            process = subprocess.Popen(command, env=self.environment, **streams)  # noqa: S603
            return None if _wait(process, tick=tick) == 0 else _last_of(told)

    @contextmanager
    def _psql(self, tags: IO[bytes], *, tick: Callable[[], None]) -> Iterator[IO[bytes]]:
        command = [str(self.binaries.folder / "psql"), "-X", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        with tempfile.TemporaryFile() as told:
            process = subprocess.Popen(  # noqa: S603
                command, env=self.environment, stdin=subprocess.PIPE, stdout=tags, stderr=told
            )
            assert process.stdin is not None
            try:
                yield process.stdin
                process.stdin.close()
            except BrokenPipeError:
                pass  # psql gave up; what it says is below
            except BaseException:
                process.kill()  # its transaction ends with it
                process.wait()
                raise
            if _wait(process, tick=tick) != 0:
                raise BackupError(f"Nothing was changed. psql says: {_last_of(told)}")


class RowsRead:
    """How much of the tables pg_dump has read, by their size. Those that take less than a moment are not
    seen, and count when all is read."""

    def __init__(self, database: BaseDatabaseWrapper) -> None:
        self._database, self._done = database, dict[int, float]()
        with database.cursor() as cursor:
            cursor.execute(
                "SELECT oid::bigint, greatest(reltuples, 1), pg_table_size(oid) FROM pg_class"
                " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
            self._tables = {oid: (rows, size) for oid, rows, size in cursor.fetchall()}
        self._whole = max(sum(size for _rows, size in self._tables.values()), 1)

    def share(self) -> float:
        with self._database.cursor() as cursor:
            cursor.execute(
                "SELECT relid::bigint, tuples_processed FROM pg_stat_progress_copy"
                " WHERE datname = current_database() AND command = 'COPY TO'"
            )
            now = dict(cursor.fetchall())
        for oid in self._done:
            self._done[oid] = 1.0
        for oid, read in now.items():
            if oid in self._tables:
                self._done[oid] = min(read / self._tables[oid][0], 1.0)
        return float(sum(share * self._tables[oid][1] for oid, share in self._done.items()) / self._whole)


def _wait(process: subprocess.Popen[Any], *, tick: Callable[[], None]) -> int:
    """Its exit code. What ends us meanwhile ends it too, unless it had done its work."""
    try:
        while True:
            try:
                return process.wait(EVERY_SECONDS)
            except subprocess.TimeoutExpired:
                tick()
    except BaseException:
        if process.poll() == 0:
            return 0
        process.kill()
        process.wait()
        raise


def _tags(file: IO[bytes]) -> int:
    """Of commands after the rows: psql writes one for each."""
    text = os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)
    after = text[text.rfind(b"\nCOPY ") :]
    return after.count(b"CREATE INDEX\n") + after.count(b"ALTER TABLE\n")


def _last_of(told: IO[bytes]) -> str:
    told.seek(0)
    return told.read().decode(errors="replace").strip()[-500:]
