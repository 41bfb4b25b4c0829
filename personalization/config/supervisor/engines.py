# ruff: noqa: S603
"""PostgreSQL and Redis together: for the product, or for the time of one command."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from personalization.config.supervisor import places
from personalization.config.supervisor.accounts import Account, choose_account
from personalization.config.supervisor.console import Console
from personalization.config.supervisor.ports import free_port
from personalization.config.supervisor.postgres import Postgres
from personalization.config.supervisor.redis import Redis
from personalization.config.supervisor.watch import StopRequested, Watch

STAGE = 0


class Engines:
    """The servers that the environment does not name; with both named, none is started."""

    def __init__(
        self,
        engine_dir: Path,
        *,
        keys: dict[str, str],
        account: Account | None,
        console: Console,
        lasting: bool = True,
    ) -> None:
        ports = places.read_values(engine_dir / "ports.env")
        chosen = {name: free_port(preferred=int(ports.get(name, 0))) for name in ("POSTGRES", "REDIS")}
        self.postgres: Postgres | None = None
        self.redis: Redis | None = None
        if not os.environ.get("DATABASE_URL"):
            self.postgres = Postgres(
                engine_dir,
                port=chosen["POSTGRES"],
                password=keys["DATABASE_PASSWORD"],
                account=account,
                console=console,
                lasting=lasting,
            )
        if not os.environ.get("REDIS_URL"):
            self.redis = Redis(
                engine_dir,
                port=chosen["REDIS"],
                password=keys["REDIS_PASSWORD"],
                account=account,
                console=console,
                lasting=lasting,
            )
        places.write_values(
            engine_dir / "ports.env",
            {name: str(port) for name, port in chosen.items()},
        )

    @property
    def addresses(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.postgres.url if self.postgres else os.environ["DATABASE_URL"],
            "REDIS_URL": self.redis.url if self.redis else os.environ["REDIS_URL"],
        }

    def start(self, watch: Watch) -> None:
        """Starts both and waits for both."""
        if self.redis:
            self.redis.make()
            watch.start(self.redis.spec(), stage=STAGE)
        if self.postgres:
            self.postgres.make()
            self.postgres.clear_stale_pid()
            watch.start(self.postgres.spec(), stage=STAGE)
            watch.wait_until(self.postgres.is_ready, what="PostgreSQL does not answer", timeout_seconds=30)
            self.postgres.make_database()
        if self.redis:
            watch.wait_until(self.redis.is_ready, what="Redis does not answer", timeout_seconds=30)


def run_with_engines(command: list[str], *, console: Console) -> int:
    """Runs a command beside servers of its own in a passing folder; answers its exit code."""
    account = choose_account()
    folder = Path(tempfile.mkdtemp(prefix="bespoke-"))
    folder.chmod(0o711 if account else 0o700)
    data = folder / "data"
    data.mkdir()
    try:
        # Benchmarks of durable writes must wait for the disk; tests need not.
        lasting = os.environ.get("DURABLE_ENGINES") == "1"
        engines = Engines(folder, keys=places.keys(data), account=account, console=console, lasting=lasting)
        return _run_beside(engines, command, data=data, console=console)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_on_the_data(command: list[str], *, console: Console) -> int:
    """Runs a command beside the servers with the product's own data, and nothing else that uses them. Raises
    StartError while the product runs."""
    data = places.data_dir()
    places.make_data_dir(data)
    lock = places.lock(data)
    try:
        account = choose_account(data / "postgres")
        folder = places.engine_dir(data, account=account, console=console)
        engines = Engines(folder, keys=places.keys(data), account=account, console=console)
        return _run_beside(engines, command, data=data, console=console)
    finally:
        os.close(lock)


def _run_beside(engines: Engines, command: list[str], *, data: Path, console: Console) -> int:
    watch = Watch(console)
    watch.listen_to_signals()
    try:
        engines.start(watch)
        env = os.environ | engines.addresses | {"BESPOKE_DATA_DIR": str(data)}
        return _run(command, env=env, watch=watch)
    except StopRequested:
        return 130
    finally:
        watch.stop()


def _run(command: list[str], *, env: dict[str, str], watch: Watch) -> int:
    try:
        running = subprocess.Popen(command, env=env)
    except OSError as error:
        watch.console.say(f"{command[0]} cannot be run: {error.strerror}.")
        return 127
    while True:
        try:
            code = running.wait(timeout=0.1)
            return code if code >= 0 else 128 - code
        except subprocess.TimeoutExpired:
            pass
        try:
            watch.look()
        except StopRequested:
            # Ctrl-C reached the command too, being in our group; `kill` did not.
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(timeout=5)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
            raise
