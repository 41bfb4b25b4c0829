"""What the clock (Celery beat) wakes, and how often.

Tasks find by themselves what is due; a missed tick loses nothing.
"""

from typing import Any

from celery.schedules import crontab


def schedule(*, tick_seconds: float) -> dict[str, dict[str, Any]]:
    return {
        "tick": {"task": "campaigns.tasks.tick", "schedule": tick_seconds},
        # Trainings whose task was lost with the broker; the truth is in their rows.
        "train": {
            "task": "recommender.tasks.start_waiting",
            "schedule": 30.0,
            "options": {"queue": "default", "expires": 30},
        },
        "subject-lines": {
            "task": "campaigns.tasks.learn_subject_lines",
            "schedule": 86_400.0,
            "options": {"queue": "train", "expires": 3_600},
        },
        "exposures": {
            "task": "experiments.tasks.read_exposures",
            "schedule": 60.0,
            "options": {"queue": "default", "expires": 60},
        },
        "reports": {
            "task": "campaigns.onsite.tasks.move_reports",
            "schedule": tick_seconds,
            "options": {"queue": "default", "expires": 30},
        },
        "reactions": {
            "task": "campaigns.onsite.tasks.count_reactions",
            "schedule": 60.0,
            "options": {"queue": "default", "expires": 60},
        },
        "pictures": {
            "task": "personalization.catalog.tasks.look_at_pictures",
            "schedule": 60.0,
            "options": {"queue": "default", "expires": 60},
        },
        "encode-pictures": {
            "task": "recommender.tasks.encode_pictures",
            "schedule": 60.0,
            "options": {"queue": "train", "expires": 60},
        },
        "gains": {
            "task": "campaigns.onsite.tasks.measure_gains",
            "schedule": 600.0,
            "options": {"queue": "default", "expires": 600},
        },
        # Analyses whose task was lost with the broker; the truth is in their rows.
        "analyses": {
            "task": "experiments.tasks.start_waiting",
            "schedule": 30.0,
            "options": {"queue": "default", "expires": 30},
        },
        "language-model": {
            "task": "personalization.language_model.tasks.start_waiting",
            "schedule": 30.0,
            "options": {"queue": "default", "expires": 30},
        },
        "opt-ins": {
            "task": "personalization.privacy.tasks.mail_opt_ins",
            "schedule": 20.0,
            "options": {"queue": "default", "expires": 20},
        },
        "erasures": {
            "task": "personalization.privacy.tasks.carry_out_waiting",
            "schedule": 60.0,
            "options": {"queue": "default", "expires": 60},
        },
        "traits": {
            "task": "personalization.traits.tasks.refresh_traits",
            "schedule": 60.0,
            "options": {"queue": "default", "expires": 60},
        },
        "prompt-traits": {
            "task": "personalization.traits.tasks.refresh_prompt_traits",
            "schedule": 3.0,
            "options": {"queue": "default", "expires": 3},
        },
        "trait-history": {
            "task": "personalization.customers.tasks.prune_trait_history",
            "schedule": 24 * 3600.0,
            "options": {"queue": "default", "expires": 3600},
        },
        # Values that were on their way in clear when their trait was declared as encrypted.
        "sealed-traits": {
            "task": "personalization.traits.tasks.move_values",
            "schedule": crontab(hour=3, minute=10),
            "options": {"queue": "default", "expires": 3600},
        },
        "retention": {
            "task": "personalization.privacy.tasks.run_retention",
            "schedule": crontab(hour=2, minute=30),
            "options": {"queue": "default", "expires": 3600},
        },
        "webhooks": {
            "task": "campaigns.tasks.tell_events",
            "schedule": 3.0,
            "options": {"queue": "default", "expires": 3},
        },
        "seals": {
            "task": "personalization.access.tasks.seal_logs",
            "schedule": 300.0,
            "options": {"queue": "default", "expires": 300},
        },
        "kept-answers": {
            "task": "personalization.access.tasks.forget_old_answers",
            "schedule": 3600.0,
            "options": {"queue": "default", "expires": 3600},
        },
        # Imports whose task was lost, sources that are due, files that were kept long enough.
        "sources": {
            "task": "personalization.sources.tasks.tick",
            "schedule": 15.0,
            "options": {"queue": "default", "expires": 15},
        },
        "bounces": {
            "task": "campaigns.tasks.read_bounces",
            "schedule": 60.0,
            "options": {"queue": "default", "expires": 60},
        },
        "memberships": {
            "task": "personalization.segments.tasks.refresh_memberships",
            "schedule": tick_seconds,
            "options": {"queue": "default", "expires": 2},
        },
        "discoveries": {
            "task": "personalization.segments.tasks.start_discoveries",
            "schedule": 30.0,
            "options": {"queue": "default", "expires": 30},
        },
        "heartbeat": {
            "task": "personalization.config.tasks.heartbeat",
            "schedule": 10.0,
            "options": {"expires": 30},
        },
    }
