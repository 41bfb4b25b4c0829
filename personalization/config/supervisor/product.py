"""The whole product: engines, set-up, web, worker, beat, mail catcher; in this order, and back."""

import http.client
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from personalization.config.queues import DUE_SOON, LONG
from personalization.config.supervisor import places, ports
from personalization.config.supervisor.accounts import choose_account
from personalization.config.supervisor.console import Console
from personalization.config.supervisor.engines import Engines
from personalization.config.supervisor.problems import StartError
from personalization.config.supervisor.processes import Child, Spec
from personalization.config.supervisor.setup import MARK
from personalization.config.supervisor.watch import StopRequested, Watch

CATCHER, SETUP, WORK, REACTOR = 1, 1, 2, 3
"""Stages; the engines are stage 0."""


@dataclass(frozen=True)
class Options:
    host: str = "127.0.0.1"
    port: int = 8000
    smtp_port: int = 1025
    inbox_port: int = 8025
    demo: bool = True


class Product:
    """One start of the product."""

    def __init__(self, options: Options, *, console: Console) -> None:
        self.options = options
        self.console = console
        self.watch = Watch(console)
        self.folder = places.data_dir()
        self.catcher = not os.environ.get("EMAIL_URL")
        self.told: dict[str, str] = {}

    def run(self) -> int:
        begun = time.monotonic()
        places.make_data_dir(self.folder)
        lock = places.lock(self.folder)
        self._demand_ports()
        self.watch.listen_to_signals()
        try:
            self._start()
            self._say_ready(time.monotonic() - begun)
            self.watch.run()
        except StopRequested:
            pass
        finally:
            stopped = time.monotonic()
            self.console.say("Stopping.")
            self.watch.stop()
            self._say_password()
            self.console.say(f"Stopped in {time.monotonic() - stopped:.1f} s.")
            os.close(lock)
        return 0

    def _demand_ports(self) -> None:
        chosen = self.options
        ports.demand_free(chosen.port, host=chosen.host, what="the web", option="--port", variable="PORT")
        if self.catcher:
            for port, what, name in (
                (chosen.smtp_port, "the mail catcher", "smtp-port"),
                (chosen.inbox_port, "the inbox", "inbox-port"),
            ):
                variable = name.upper().replace("-", "_")
                ports.demand_free(port, host="127.0.0.1", what=what, option=f"--{name}", variable=variable)

    def _start(self) -> None:
        keys = places.keys(self.folder)
        account = choose_account(self.folder / "postgres")
        engine_dir = places.engine_dir(self.folder, account=account, console=self.console)
        engines = Engines(engine_dir, keys=keys, account=account, console=self.console)
        self.env = self._environment(keys, engines)
        # Django's imports take as long as a new database: let them run side by side.
        setup = self.watch.start(self._setup(), stage=SETUP)
        engines.start(self.watch)
        if self.catcher:
            self.watch.start(self._mail_catcher(), stage=CATCHER)
        if not _is_migrated(self.env["DATABASE_URL"]):
            self._wait_for_setup(setup, lambda: "migrated" in self.told, what="The database is not set up")
        for spec in (self._web(), self._worker(), self._long_worker(), self._beat()):
            self.watch.start(spec, stage=WORK)
        self._wait_for_setup(setup, lambda: "migrated" in self.told, what="The database is not set up")
        self.watch.wait_until(self._web_answers, what="The web does not answer")
        self.watch.wait_until(self._workers_wait, what="The workers do not take tasks")
        self._wait_for_setup(setup, lambda: False, what="The demo shop is not loaded")
        if "react" in self.told and self.catcher:
            self.watch.start(self._reactor(), stage=REACTOR)
        self.watch.start(self._compiler(), stage=REACTOR)

    def _environment(self, keys: dict[str, str], engines: Engines) -> dict[str, str]:
        """What every child gets; also left in `local.env` for commands in another terminal."""
        defaults = {
            **{name: keys[name] for name in ("SECRET_KEY", "LINK_KEY", "ADDRESS_KEY")},
            "SITE_URL": f"http://127.0.0.1:{self.options.port}",
            "ALLOW_HTTP": "1",
            "LOG_JSON": "0",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.options.smtp_port}",
            "INBOX_URL": f"http://127.0.0.1:{self.options.inbox_port}" if self.catcher else "",
            "BACKUP_KEY_DIR": str(self.folder / "backup-keys"),
        }
        values = {name: os.environ.get(name) or value for name, value in defaults.items()} | engines.addresses
        places.write_values(
            self.folder / "local.env",
            values,
        )
        (self.folder / "static").mkdir(exist_ok=True)
        more = {
            "BESPOKE_DATA_DIR": str(self.folder),
            "PYTHONUNBUFFERED": "1",
            # In a container root is all there is; the worker takes JSON alone, which cannot run anything.
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser:UserWarning",
        }
        return os.environ | values | more

    def _python(self, name: str, *arguments: str, **more: object) -> Spec:
        command = [sys.executable, *arguments]
        return Spec(name, command, env=self.env, cwd=places.CHECKOUT, **more)  # type: ignore[arg-type]

    def _setup(self) -> Spec:
        arguments = [
            "-m",
            "personalization.config.supervisor.setup",
            *(["--demo"] if self.options.demo else []),
        ]
        return self._python("setup", *arguments, once=True, on_line=self._hear)

    def _hear(self, line: str) -> bool:
        if not line.startswith(MARK):
            return False
        name, _, value = line.removeprefix(MARK).partition(" ")
        self.told[name] = value
        return True

    def _web(self) -> Spec:
        return self._python(
            "web", "-m", "granian", "--interface", "wsgi", "--host", self.options.host,
            "--port", str(self.options.port), "--workers", os.environ.get("WEB_WORKERS", "1"),
            "--blocking-threads", "16", "--respawn-failed-workers", "--log-level", "warning",
            "personalization.config.web:application",
            # The answers that take long are streams, which only wait; calls with events wait for one another.
            quiet=("Configuration allows spawning up to",),
        )  # fmt: skip

    def _worker(self) -> Spec:
        return self._celery("worker", DUE_SOON, os.environ.get("WORKER_PROCESSES", "2"))

    def _long_worker(self) -> Spec:
        """Gives way to all that somebody waits for."""
        spec = self._celery("jobs", LONG, os.environ.get("JOB_PROCESSES", "2"))
        return replace(spec, command=["nice", "-n", "10", *spec.command])

    def _celery(self, name: str, queues: Iterable[str], processes: str) -> Spec:
        return self._python(
            name, "-m", "celery", "--quiet", "-A", "personalization.config", "worker",
            "--hostname", f"{name}@%h", "--pool", "prefork", "-c", processes, "-Q", ",".join(queues),
            "--loglevel", "WARNING", "--without-mingle", "--without-gossip",
            hurry_signal=signal.SIGQUIT,
            grace_seconds=0.8,
            quiet=("worker: Warm shutdown", "worker: Cold shutdown", "worker: Hitting Ctrl+C again"),
        )  # fmt: skip

    def _beat(self) -> Spec:
        return self._python(
            "beat", "-m", "celery", "--quiet", "-A", "personalization.config", "beat",
            "--loglevel", "WARNING", "--pidfile=",
            "--schedule", str(Path(self.folder) / "celerybeat-schedule"),
        )  # fmt: skip

    def _mail_catcher(self) -> Spec:
        return self._python(
            "mail", "-m", "personalization.config.supervisor.mail_catcher",
            "--smtp-port", str(self.options.smtp_port), "--inbox-port", str(self.options.inbox_port),
        )  # fmt: skip

    def _reactor(self) -> Spec:
        return self._python("shop", "manage.py", "react")

    def _compiler(self) -> Spec:
        """Beside all others and behind them: else whoever first asks a recommender waits for its loops."""
        spec = self._python("loops", "manage.py", "compile_loops", once=True)
        return replace(spec, command=["nice", "-n", "19", *spec.command])

    def _wait_for_setup(self, setup: Child, done: Callable[[], bool], *, what: str) -> None:
        """As long as it takes: a migration of large tables that is stopped half way has to begin again."""
        self.watch.wait_until(
            lambda: done() or setup.exit_code is not None, what=what, timeout_seconds=60, patient=True
        )
        self._demand_success(setup)

    def _demand_success(self, setup: Child) -> None:
        if setup.exit_code:
            setup.finish_output()
            raise StartError("Setting up the database failed; the lines above tell why.")

    def _web_answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.options.port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Host": "127.0.0.1"})
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _workers_wait(self) -> bool:
        """Each that takes tasks has a connection that waits for the next one."""
        import redis

        client = redis.Redis.from_url(self.env["REDIS_URL"])
        try:
            return sum(row.get("cmd") == "brpop" for row in client.client_list()) >= 2
        except redis.RedisError:
            return False
        finally:
            client.close()

    def _say_ready(self, seconds: float) -> None:
        self.console.say(f"Ready in {seconds:.1f} s. Open {self.env['SITE_URL']}")
        if self.catcher:
            self.console.say(f"Mail is caught here and goes nowhere: {self.env['INBOX_URL']}")
        if not self._say_password():
            self.console.say(
                "Sign in as admin; a new password: .venv/bin/python manage.py changepassword admin"
            )
        self.console.say("Ctrl-C stops everything.")

    def _say_password(self) -> bool:
        if password := self.told.pop("password", None):
            self.console.say(f"Sign in as admin with the password {password} (shown only this once).")
            return True
        return False


def _is_migrated(url: str) -> bool:
    """Whether our own migrations are applied: then nobody need wait for the set-up."""
    import psycopg

    ours = {
        (file.parent.parent.name, file.stem)
        for pattern in ("[a-z]*/migrations/0*.py", "[a-z]*/*/migrations/0*.py")
        for file in places.CHECKOUT.glob(pattern)
    }
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            applied = set(connection.execute("SELECT app, name FROM django_migrations").fetchall())
    except psycopg.Error:
        return False
    return bool(ours) and ours <= applied
