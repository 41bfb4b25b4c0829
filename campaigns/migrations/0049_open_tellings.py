"""Operators count at each scrape which calls of webhooks wait or were given up: few among all."""

from django.db import migrations, models

from personalization.half_built import DropHalfBuilt


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("campaigns", "0048_no_content")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                DropHalfBuilt("telling_open"),
                migrations.RunSQL(
                    sql=[
                        "CREATE INDEX CONCURRENTLY IF NOT EXISTS telling_open"
                        " ON campaigns_telling (status) WHERE status IN ('waiting', 'failed')",
                    ],
                    reverse_sql=["DROP INDEX CONCURRENTLY IF EXISTS telling_open"],
                ),
            ],
            state_operations=[
                migrations.AddIndex(
                    model_name="telling",
                    index=models.Index(
                        condition=models.Q(("status__in", ["waiting", "failed"])),
                        fields=["status"],
                        name="telling_open",
                    ),
                ),
            ],
        ),
    ]
