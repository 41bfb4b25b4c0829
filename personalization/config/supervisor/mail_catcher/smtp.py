"""The SMTP side, by aiosmtpd."""

import asyncio

from aiosmtpd.smtp import SMTP, Envelope, Session

from personalization.config.supervisor.mail_catcher.store import Store

LARGEST_BYTES = 32 * 2**20


class Catcher:
    """aiosmtpd's handler: says yes to everybody."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        # aiosmtpd reads commands as they come, so a sender may pipeline; it only does not say so.
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        number = self._store.add(envelope.mail_from or "", list(envelope.rcpt_tos), raw)
        return f"250 2.0.0 Caught as message {number}"


async def serve(store: Store, *, port: int, host: str = "127.0.0.1") -> asyncio.Server:
    """A listening server; port 0 takes a free one."""
    handler = Catcher(store)
    loop = asyncio.get_running_loop()

    def session() -> SMTP:
        return SMTP(
            handler,
            data_size_limit=LARGEST_BYTES,
            enable_SMTPUTF8=True,
            hostname="mail.localhost",
            ident="Bespoke mail catcher",
            loop=loop,
        )

    return await loop.create_server(session, host, port, backlog=256)
