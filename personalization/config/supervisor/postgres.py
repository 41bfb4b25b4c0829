# ruff: noqa: S603
"""PostgreSQL from binaries that are there: found, its folder made, started, its database made."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from personalization.config.supervisor.accounts import Account, give, popen_arguments
from personalization.config.supervisor.console import Console
from personalization.config.supervisor.postgres_binaries import find, within_reach
from personalization.config.supervisor.problems import StartError
from personalization.config.supervisor.processes import Spec

SUPERUSER = "bespoke"
DATABASE = "bespoke"
NO_SPACE = "No space left on device"


class Postgres:
    """One server: its folder, port and password."""

    def __init__(
        self,
        engine_dir: Path,
        *,
        port: int,
        password: str,
        account: Account | None,
        console: Console,
        lasting: bool = True,
    ) -> None:
        self.data = engine_dir / "postgres"
        self.engine_dir = engine_dir
        self.port = port
        self.password = password
        self.account = account
        self.console = console
        self.lasting = lasting
        self.is_new = False
        self.binaries = within_reach(
            find(needed=existing_major(self.data)), account=account, engine_dir=engine_dir, console=console
        )

    @property
    def url(self) -> str:
        return f"postgres://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def make(self) -> None:
        """Makes the folder unless it is there: under another name first, so that it is whole or not there."""
        for left in self.engine_dir.glob("postgres.new*"):
            self.console.say(f"Removing {left.name}, left half made by an interrupted start.")
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()
        if self.data.exists() and any(self.data.iterdir()):
            return
        fresh = self.engine_dir / f"postgres.new-{os.getpid()}"
        secret = self.engine_dir / f"postgres.new-{os.getpid()}.password"
        fresh.mkdir(mode=0o700)
        give(fresh, self.account)
        secret.touch(mode=0o600)
        give(secret, self.account)
        secret.write_text(self.password)
        try:
            self._initdb(fresh, secret)
        finally:
            secret.unlink(missing_ok=True)
        fresh.rename(self.data)
        self.is_new = True

    def _initdb(self, fresh: Path, secret: Path) -> None:
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        done = subprocess.run(
            [
                self.binaries.folder / "initdb", "-D", fresh, "-U", SUPERUSER, "--auth=scram-sha-256",
                "--pwfile", secret, "--encoding=UTF8", f"--locale={locale}", "--no-instructions",
                *([] if self.lasting else ["--no-sync"]),
            ],
            cwd="/",
            env=self.binaries.env,
            capture_output=True,
            text=True,
            **popen_arguments(self.account),
        )  # fmt: skip
        if done.returncode == 0:
            return
        shutil.rmtree(fresh, ignore_errors=True)
        if NO_SPACE in done.stderr:
            raise StartError(
                f"The disk of {self.engine_dir} is full: the database could not be made. Free some space, or "
                "choose a folder on another disk: BESPOKE_DATA_DIR=/other/disk/bespoke bin/run."
            )
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StartError(f"The database folder could not be made in {self.engine_dir}: {last}")

    def clear_stale_pid(self) -> None:
        """Ends a server that outlived a killed supervisor, and forgets a process number that is stale."""
        file = self.data / "postmaster.pid"
        try:
            pid = int(file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if not _is_postgres(pid):
            file.unlink(missing_ok=True)
            return
        self.console.say("Ending the database server that an earlier start left behind.")
        for number in (signal.SIGINT, signal.SIGQUIT):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + 5
            while _is_postgres(pid) and time.monotonic() < deadline:
                time.sleep(0.05)

    def spec(self) -> Spec:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            # Statements carry personal data; the product itself logs what failed.
            "log_min_messages": "fatal",
            "shared_buffers": "256MB",
            "work_mem": "16MB",
            "maintenance_work_mem": "128MB",
            "max_wal_size": "2GB",
            "random_page_cost": "1.1",
            "jit": "off",
            "dynamic_shared_memory_type": _shared_memory(),
        }
        if not self.lasting:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return Spec(
            "postgres",
            [str(self.binaries.folder / "postgres"), "-D", str(self.data), *settings],
            env=self.binaries.env,
            account=self.account,
            stop_signal=signal.SIGINT,
            hurry_signal=signal.SIGQUIT,
            grace_seconds=5.0,
            # Said to those who knock too early.
            quiet=(f'database "{DATABASE}" does not exist', "the database system is starting up"),
            on_line=self._explain,
        )

    def _explain(self, line: str) -> bool:
        if NO_SPACE in line:
            self.console.say(f"The disk of {self.data} is full: the database cannot write. Free some space.")
        return "shutting down" in line or "shut down" in line

    def is_ready(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self._server_url(), connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise StartError(
                    f"The database in {self.data} does not know the password in secrets.env. Put the old "
                    f"secrets.env back, or start with an empty database: mv {self.data} {self.data}.old"
                ) from error
            return False
        return True

    def _server_url(self) -> str:
        return self.url.rsplit("/", 1)[0] + "/postgres"

    def make_database(self) -> None:
        import psycopg

        with psycopg.connect(self._server_url(), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")


def existing_major(data: Path) -> int | None:
    """The major version that made the folder; None when it is not there or empty.

    Raises StartError for a folder that is neither empty nor whole: we never make one of that kind.
    """
    if not data.exists() or not any(data.iterdir()):
        return None
    try:
        version = (data / "PG_VERSION").read_text().strip()
        whole = (data / "global" / "pg_control").is_file()
    except FileNotFoundError:
        version, whole = "", False
    if not version.isdigit() or not whole:
        raise StartError(
            f"The database folder {data} is not whole. Put a backup back, or set it aside and start with an "
            f"empty database: mv {data} {data}.broken"
        )
    return int(version)


def _is_postgres(pid: int) -> bool:
    answer = subprocess.run(["ps", "-o", "comm=,stat=", "-p", str(pid)], capture_output=True, text=True)  # noqa: S607
    return "postgres" in answer.stdout and " Z" not in answer.stdout


def _shared_memory() -> str:
    """Containers often have a /dev/shm of 64 MB, too small for parallel queries: then files are used."""
    with contextlib.suppress(OSError):
        if shutil.disk_usage("/dev/shm").total >= 256 * 2**20:  # noqa: S108
            return "posix"
    return "mmap" if sys.platform == "linux" else "posix"
