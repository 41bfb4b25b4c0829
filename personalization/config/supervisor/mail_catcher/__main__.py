"""`python -m personalization.config.supervisor.mail_catcher --smtp-port 1025 --inbox-port 8025`."""

import argparse
import asyncio
import signal
import threading

from personalization.config.supervisor.mail_catcher.inbox import InboxServer
from personalization.config.supervisor.mail_catcher.smtp import serve
from personalization.config.supervisor.mail_catcher.store import Store


async def run(*, smtp_port: int, inbox_port: int) -> None:
    """Serves both until SIGTERM or SIGINT."""
    store = Store()
    inbox = InboxServer(store, port=inbox_port)
    threading.Thread(target=inbox.serve_forever, name="inbox", daemon=True).start()
    server = await serve(store, port=smtp_port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    server.close()
    inbox.shutdown()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Takes mail over SMTP, delivers none, shows it in a web inbox."
    )
    parser.add_argument("--smtp-port", type=int, default=1025)
    parser.add_argument("--inbox-port", type=int, default=8025)
    chosen = parser.parse_args()
    asyncio.run(run(smtp_port=chosen.smtp_port, inbox_port=chosen.inbox_port))
