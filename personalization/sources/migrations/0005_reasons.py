"""Why rows were rejected, and how many for each reason."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sources", "0004_attempts")]

    operations = [
        migrations.AddField(
            model_name="import",
            name="reasons",
            field=models.JSONField(
                db_default=models.Value([], models.JSONField()),
                default=list,
                editable=False,
                help_text="why rows were rejected, the most frequent first: [{reason, rows}];"
                " no reason quotes a row",
            ),
        ),
    ]
