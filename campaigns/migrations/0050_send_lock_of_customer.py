"""A send lock leads to its customer, so that an erasure finds it; the table stays as it is."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0049_open_tellings"),
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("sendlock", "customer_id", "customer"),
                migrations.AlterField(
                    "sendlock",
                    "customer",
                    models.OneToOneField(
                        db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True,
                        related_name="+", serialize=False, to="customers.customer",
                    ),
                ),
            ],
        ),
    ]
