"""How many workers took it up without an end: what kills each of them is given up."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("segments", "0005_exports")]

    operations = [
        migrations.AddField(
            model_name="discovery",
            name="attempts",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
    ]
