"""What the clock (Celery beat) wakes and how often, and which tasks have a queue of their own.

Tasks find by themselves what is due; a missed tick loses nothing.
"""

from typing import Any

from celery.schedules import crontab

HOUR, DAY = 3600.0, 24 * 3600.0

ROUTES = {
    "campaigns.tasks.send_chunk": {"queue": "send"},
    "campaigns.tasks.run_rehearsal": {"queue": "train"},
    "experiments.tasks.analyse": {"queue": "analyse"},
    "experiments.tasks.study_targeting": {"queue": "analyse"},
    "experiments.tasks.compute_long_run": {"queue": "analyse"},
    "personalization.catalog.tasks.look_at_pictures": {"queue": "train"},
    # A server's answer may take a minute.
    "personalization.language_model.tasks.answer": {"queue": "analyse"},
    "personalization.privacy.tasks.run_export": {"queue": "train"},
    "personalization.segments.tasks.run_discovery": {"queue": "train"},
    "personalization.segments.tasks.run_export": {"queue": "train"},
    "personalization.traits.tasks.refresh_trait": {"queue": "analyse"},
    "recommender.tasks.*": {"queue": "train"},
    "personalization.sources.tasks.*": {"queue": "ingest"},
}


def schedule(*, tick_seconds: float) -> dict[str, dict[str, Any]]:
    return {
        "tick": {"task": "campaigns.tasks.tick", "schedule": tick_seconds},
        "heartbeat": {
            "task": "personalization.config.tasks.heartbeat", "schedule": 10.0, "options": {"expires": 30},
        },
        # Work whose task was lost with the broker; the truth is in its rows.
        "train": _wake("recommender.tasks.start_waiting", 30.0),
        "analyses": _wake("experiments.tasks.start_waiting", 30.0),
        "language-model": _wake("personalization.language_model.tasks.start_waiting", 30.0),
        "rehearsals": _wake("campaigns.tasks.start_rehearsals", 30.0),
        "discoveries": _wake("personalization.segments.tasks.start_discoveries", 30.0),
        "exports": _wake("personalization.segments.tasks.start_exports", 30.0),
        "person-exports": _wake("personalization.privacy.tasks.start_exports", 30.0),
        # Also sources that are due, and files that were kept long enough.
        "sources": _wake("personalization.sources.tasks.tick", 15.0),
        # Customers and what is known of them.
        "memberships": _wake("personalization.segments.tasks.refresh_memberships", tick_seconds, expires=2),
        "traits": _wake("personalization.traits.tasks.refresh_traits", 60.0),
        "prompt-traits": _wake("personalization.traits.tasks.refresh_prompt_traits", 3.0),
        "trait-history": _wake("personalization.customers.tasks.prune_trait_history", DAY, expires=3600),
        # Values that were on their way in clear when their trait was declared as encrypted.
        "sealed-traits": _wake(
            "personalization.traits.tasks.move_values", crontab(hour=3, minute=10), expires=3600
        ),
        "opt-ins": _wake("personalization.privacy.tasks.mail_opt_ins", 20.0),
        "erasures": _wake("personalization.privacy.tasks.carry_out_waiting", 60.0),
        "retention": _wake(
            "personalization.privacy.tasks.run_retention", crontab(hour=2, minute=30), expires=3600
        ),
        "backup-keys": _wake("personalization.privacy.tasks.destroy_backup_keys", 3600.0),
        # Messages, offers, and what comes back.
        "bounces": _wake("campaigns.tasks.read_bounces", 60.0),
        "webhooks": _wake("campaigns.tasks.tell_events", 3.0),
        "subject-lines": _wake("campaigns.tasks.learn_subject_lines", DAY, expires=3600, queue="train"),
        "reports": _wake("campaigns.onsite.tasks.move_reports", tick_seconds, expires=30),
        "reactions": _wake("campaigns.onsite.tasks.count_reactions", 60.0),
        "gains": _wake("campaigns.onsite.tasks.measure_gains", 600.0),
        "exposures": _wake("experiments.tasks.read_exposures", 60.0),
        # Items.
        "pictures": _wake("personalization.catalog.tasks.look_at_pictures", 60.0, queue="train"),
        "encode-pictures": _wake("recommender.tasks.encode_pictures", 60.0, queue="train"),
        # Staff and API keys.
        "seals": _wake("personalization.access.tasks.seal_logs", 300.0),
        "kept-answers": _wake("personalization.access.tasks.forget_old_answers", HOUR),
    }  # fmt: skip


def _wake(
    task: str, every: float | crontab, *, expires: float | None = None, queue: str = "default"
) -> dict[str, Any]:
    """`every` and `expires` in seconds; a task that waited until the next one comes is dropped."""
    return {"task": task, "schedule": every, "options": {"queue": queue, "expires": expires or every}}
