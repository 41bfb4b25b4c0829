from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("traits", "0004_text_sources")]

    operations = [
        migrations.AlterField(
            model_name="traitdefinition",
            name="property",
            field=models.CharField(
                blank=True,
                help_text=(
                    "Of the event, for sums, averages, first and last; empty: its value, or its time. Of the "
                    "items, for interests and taste: brand, or an attribute such as tags; empty: categories."
                ),
                max_length=100,
                verbose_name="property",
            ),
        )
    ]
