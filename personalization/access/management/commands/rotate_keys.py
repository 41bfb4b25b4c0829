from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand

from personalization.access.fields import EncryptedTextField

BATCH = 500


class Command(BaseCommand):
    help = (
        "Encrypts every encrypted column anew with the first key of DATA_KEYS. "
        "Afterwards the older keys may be taken out of the setting."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for model in apps.get_models():
            names = [f.attname for f in model._meta.concrete_fields if isinstance(f, EncryptedTextField)]
            if not names:
                continue
            count, batch = 0, []
            # Reading decrypts with whichever key fits, writing encrypts with the first.
            for row in model._base_manager.only("pk", *names).iterator(chunk_size=BATCH):
                batch.append(row)
                if len(batch) == BATCH:
                    count += model._base_manager.bulk_update(batch, names)
                    batch = []
            count += model._base_manager.bulk_update(batch, names) if batch else 0
            self.stdout.write(f"{model._meta.db_table}: {count}")
