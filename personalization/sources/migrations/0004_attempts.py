"""How many workers took it up without an end: what kills each of them is given up."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sources", "0003_import_language")]

    operations = [
        migrations.AddField(
            model_name="import",
            name="attempts",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
    ]
