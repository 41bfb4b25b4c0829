from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0037_journey_drafts'),
    ]

    operations = [
        migrations.AddField(
            model_name=name,
            name='is_test',
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name='test'),
        )
        for name in ('run', 'delivery', 'passage')
    ]
