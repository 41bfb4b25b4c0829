"""A test stands beside the real one: run beside run, passage beside passage."""

from django.db import migrations, models

from personalization.half_built import DropHalfBuilt


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('campaigns', '0038_test_keys'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                DropHalfBuilt("passage_one_inside_each"),
                DropHalfBuilt("run_number_once_each"),
                migrations.RunSQL(
                    sql=[
                        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS passage_one_inside_each"
                        " ON campaigns_passage (journey_id, customer_id, is_test) WHERE status = 'inside'",
                        "DROP INDEX CONCURRENTLY IF EXISTS passage_one_inside",
                        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS run_number_once_each"
                        " ON campaigns_run (campaign_id, number, is_test)",
                        "ALTER TABLE campaigns_run DROP CONSTRAINT IF EXISTS run_number_once",
                    ],
                    reverse_sql=[
                        # The version before knows no tests.
                        "DELETE FROM campaigns_passagestep AS s USING campaigns_passage AS p"
                        " WHERE p.id = s.passage_id AND p.is_test",
                        "DELETE FROM campaigns_webhookcall AS c USING campaigns_passage AS p"
                        " WHERE p.id = c.passage_id AND p.is_test",
                        "DELETE FROM campaigns_passage WHERE is_test",
                        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS passage_one_inside"
                        " ON campaigns_passage (journey_id, customer_id) WHERE status = 'inside'",
                        "DROP INDEX CONCURRENTLY IF EXISTS passage_one_inside_each",
                        "UPDATE campaigns_run SET number = number + 1000000 WHERE is_test",
                        "ALTER TABLE campaigns_run ADD CONSTRAINT run_number_once UNIQUE (campaign_id, number)",
                        "DROP INDEX CONCURRENTLY IF EXISTS run_number_once_each",
                    ],
                ),
            ],
            state_operations=[
                migrations.RemoveConstraint(model_name='passage', name='passage_one_inside'),
                migrations.RemoveConstraint(model_name='run', name='run_number_once'),
                migrations.AddConstraint(
                    model_name='passage',
                    constraint=models.UniqueConstraint(
                        condition=models.Q(('status', 'inside')), fields=('journey', 'customer', 'is_test'),
                        name='passage_one_inside_each',
                    ),
                ),
                migrations.AddConstraint(
                    model_name='run',
                    constraint=models.UniqueConstraint(
                        models.F('campaign'), models.F('number'), models.F('is_test'), name='run_number_once_each'
                    ),
                ),
            ],
        ),
    ]
