from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("recommender", "0002_evidence"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelrun",
            name="popular_by_trait",
            field=models.JSONField(blank=True, default=list, editable=False),
        ),
    ]
