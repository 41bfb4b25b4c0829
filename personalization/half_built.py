"""For migrations that build an index concurrently."""

from typing import Any

from django.db import migrations


class DropHalfBuilt(migrations.RunPython):
    """Drops this index if an earlier try was stopped while it was built.

    What is left of it is kept up to date, used by no query, and taken for the index by `IF NOT EXISTS`.
    Stands before `CREATE INDEX CONCURRENTLY IF NOT EXISTS name`, in a migration that is not atomic.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(self._drop, migrations.RunPython.noop)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, [self.name], {}

    def _drop(self, _apps: Any, editor: Any) -> None:
        with editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid", [self.name]
            )
            if cursor.rowcount:
                cursor.execute(f"DROP INDEX CONCURRENTLY {editor.quote_name(self.name)}")
