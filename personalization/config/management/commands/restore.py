"""`manage.py restore FILE`: see personalization/config/backup.py."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.models import Run, RunStatus
from campaigns.steering import pause
from personalization.access.terminal import ProgressLine
from personalization.config.backup import BackupError, put_back
from personalization.privacy import backup_keys, requests


class Command(BaseCommand):
    help = (
        "Replaces the database, models and pictures by those of a backup, applies newer migrations and "
        "pauses everything that was being sent: messages that went out after the backup are not known to it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["yes"] and not _is_meant():
            raise CommandError("Nothing was changed. Type yes, or give --yes where nobody types.")
        line = ProgressLine(self.stderr)
        try:
            manifest = put_back(
                options["file"].resolve(),
                folders={"models": settings.MODEL_DIR, "media": settings.MEDIA_ROOT},
                tell=line.tell,
            )
        except BackupError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted: nothing was changed.") from None
        finally:
            line.end()
        call_command("migrate", verbosity=0)
        paused, again = pause_what_was_sent(), requests.erase_again(actor="system:restore")
        self.stdout.write(
            f"As of {manifest['made_at']}. {paused} campaigns were being sent and are paused: compare them "
            "with the mail server's log before you resume them."
        )
        self.stdout.write(
            f"{again} profiles were erased after the backup and are erased again."
            if backup_keys.folder()
            else "Erase again who was erased after the backup: without BACKUP_KEY_DIR nobody remembers them."
        )


def _is_meant() -> bool:
    try:
        answer = input("Everything in this database is lost. Type yes to go on: ")
    except EOFError:
        return False
    return answer.strip().lower() == "yes"


def pause_what_was_sent() -> int:
    runs = list(Run.objects.filter(status=RunStatus.SENDING))
    for run in runs:
        pause(run, actor="system:restore")
    return len(runs)
