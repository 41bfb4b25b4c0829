"""`manage.py backup FILE`: see personalization/config/backup.py."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from personalization.access.terminal import ProgressLine
from personalization.config.backup import BackupError, write_backup
from personalization.config.sealing import name_of_key


class Command(BaseCommand):
    help = "Writes the database, the trained models and the uploaded pictures into one file, while all runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"].resolve()
        if file.exists():
            raise CommandError(f"{file} exists; choose another name.")
        folders = {"models": settings.MODEL_DIR, "media": settings.MEDIA_ROOT}
        line = ProgressLine(self.stderr)
        try:
            write_backup(file, folders=folders, tell=line.tell)
        except BackupError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted: nothing was written.") from None
        finally:
            line.end()
        apart = (
            "SECRET_KEY, LINK_KEY, ADDRESS_KEY and DATA_KEYS apart from it; without them it is of little use."
        )
        size = f"{file}: {file.stat().st_size // 2**20} MB."
        if name := name_of_key(file):
            key = f"It opens with the key {name} in BACKUP_KEY_DIR alone, which is destroyed after"
            self.stdout.write(f"{size} {key} {settings.BACKUP_RETENTION_DAYS} days. Keep {apart}")
        else:
            self.stdout.write(
                f"{size} It holds personal data: set BACKUP_KEY_DIR or encrypt it. Keep {apart}"
            )
