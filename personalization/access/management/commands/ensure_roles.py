from typing import Any

from django.core.management.base import BaseCommand

from personalization.access.services import ADMINISTRATOR, ROLES, ensure_roles


class Command(BaseCommand):
    help = "Creates or updates the groups of staff roles. Run it after `migrate`; `manage.py up` does."

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_roles()
        self.stdout.write("Roles: " + ", ".join([*ROLES, ADMINISTRATOR]))
