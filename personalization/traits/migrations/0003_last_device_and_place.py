from django.db import migrations

USUAL = (("last_device", "device"), ("last_city", "city"))


def write_usual(apps, schema_editor):
    TraitDefinition = apps.get_model("traits", "TraitDefinition")
    for name, part in USUAL:
        TraitDefinition.objects.create(name=name, kind="last_context", event="", property=part)


class Migration(migrations.Migration):
    dependencies = [("traits", "0002_usual_traits")]
    operations = [migrations.RunPython(write_usual, migrations.RunPython.noop)]
