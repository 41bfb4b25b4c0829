from django.db import migrations

USUAL = (
    # name, kind, event, window in days
    ("orders_90_days", "count", "Order Completed", 90),
    ("revenue_365_days", "sum", "Order Completed", 365),
    ("average_order_value", "average", "Order Completed", None),
    ("first_order_at", "first", "Order Completed", None),
    ("last_order_at", "last", "Order Completed", None),
    ("favorite_category", "favorite_category", "Order Line", 365),
    ("rfm_class", "rfm", "Order Completed", 365),
    ("lifecycle_stage", "lifecycle", "Order Completed", 90),
    ("engagement_score", "engagement", "", None),
    ("preferred_channel", "preferred_channel", "", 180),
    ("preferred_hour", "preferred_hour", "", 180),
    ("churn_probability", "churn", "Order Completed", 90),
    ("lifetime_value", "lifetime_value", "Order Completed", 365),
)


def write_usual(apps, schema_editor):
    TraitDefinition = apps.get_model("traits", "TraitDefinition")
    for name, kind, event, window_days in USUAL:
        TraitDefinition.objects.create(name=name, kind=kind, event=event, window_days=window_days)


class Migration(migrations.Migration):
    dependencies = [("traits", "0001_initial")]
    operations = [migrations.RunPython(write_usual, migrations.RunPython.noop)]
