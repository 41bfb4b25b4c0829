"""TCP ports on this machine: is one free, which one is."""

import socket

from personalization.config.supervisor.problems import StartError


def is_free(port: int, *, host: str = "127.0.0.1") -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(*, preferred: int | None = None) -> int:
    """A free port on the loopback address: the preferred one where possible."""
    if preferred and is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def demand_free(port: int, *, host: str, what: str, option: str, variable: str) -> None:
    """Raises StartError, naming the port and how to choose another, when somebody else listens there."""
    if is_free(port, host=host):
        return
    other = next((p for p in range(port + 1, port + 100) if is_free(p, host=host)), free_port())
    raise StartError(
        f"Port {port} on {host}, meant for {what}, is taken by another program. "
        f"Stop that program, or choose another: bin/run {option} {other} (or {variable}={other} bin/run)."
    )
