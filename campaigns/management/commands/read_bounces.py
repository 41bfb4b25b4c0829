"""Takes reports about mail: from standard input (a pipe of the mail server), a mailbox, or as LMTP server."""

import asyncio
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, close_old_connections

from campaigns.feedback.mailbox import MailboxError, read_mailbox, take_mail

TRY_LATER = 75  # sysexits.h: the mail server keeps the mail and tries again


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--mailbox", nargs="?", const="", help="read BOUNCE_MAILBOX, or this address")
        parser.add_argument("--lmtp", metavar="HOST:PORT", help="listen until stopped")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["mailbox"] is not None:
            self._mailbox(options["mailbox"] or settings.BOUNCE_MAILBOX)
        elif options["lmtp"]:
            self._lmtp(options["lmtp"])
        else:
            self._pipe()

    def _pipe(self) -> None:
        try:
            taken = take_mail(sys.stdin.buffer.read())
        except DatabaseError:
            self.stderr.write("the database cannot be reached")
            sys.exit(TRY_LATER)
        self.stdout.write(f"{taken.kind}: {taken.deliveries}")

    def _mailbox(self, url: str) -> None:
        try:
            counts = read_mailbox(url)
        except MailboxError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(", ".join(f"{name}: {n}" for name, n in counts.items()))

    def _lmtp(self, place: str) -> None:
        try:
            from aiosmtpd.lmtp import LMTP
        except ImportError as error:
            raise CommandError("LMTP needs aiosmtpd: install the extra “local”") from error
        host, _, port = place.rpartition(":")
        if not host or not port.isdecimal():
            raise CommandError("write --lmtp 127.0.0.1:2424")

        async def serve() -> None:
            loop = asyncio.get_running_loop()
            server = await loop.create_server(
                lambda: LMTP(_Handler(), enable_SMTPUTF8=True, loop=loop), host, int(port)
            )
            self.stdout.write(f"listening on {host}:{server.sockets[0].getsockname()[1]}")
            self.stdout.flush()
            await server.serve_forever()

        asyncio.run(serve())


class _Handler:
    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        return await asyncio.get_running_loop().run_in_executor(None, _take, envelope.content)


def _take(raw: bytes) -> str:
    try:
        close_old_connections()
        taken = take_mail(raw)
    except DatabaseError:
        return "451 4.3.0 try again later"
    finally:
        close_old_connections()
    return f"250 2.0.0 {taken.kind}"
