"""Takes away what furnishing.py brought: recognized by the audit log, which names who made it."""

from campaigns.models import Campaign, Run, RunStatus
from experiments.models import Assignment, Experiment
from personalization.access.models import AuditEntry
from personalization.demo.errors import StillSending
from personalization.segments.discovery import services as discoveries
from personalization.segments.models import Discovery, Segment
from recommender.models import ModelRun


def clear_furniture(*, actor: str) -> None:
    """Raises StillSending while a campaign of the demo is being sent."""
    campaigns = Campaign.objects.filter(pk__in=_made("campaign.saved", actor))
    if Run.objects.filter(campaign__in=campaigns, status=RunStatus.SENDING).exists():
        raise StillSending
    for campaign in campaigns:
        runs = Run.everything.filter(campaign=campaign)
        experiments = list(runs.values_list("experiment_id", flat=True))
        runs.delete()
        Assignment.objects.filter(experiment__in=experiments).delete()
        Experiment.objects.filter(pk__in=experiments).delete()
        campaign.delete()
    for discovery in Discovery.objects.filter(pk__in=_made("discovery.created", actor)):
        discoveries.remove(discovery, actor=actor)
    used = [*Campaign.objects.values_list("segment_id", flat=True)]
    used += Discovery.objects.values_list("seed_id", flat=True)
    used += Run.everything.values_list("segment_version__segment_id", flat=True)
    unused = Segment.objects.filter(pk__in=_made("segment.saved", actor))
    unused.exclude(pk__in=[pk for pk in used if pk]).delete()
    ModelRun.objects.filter(pk__in=_made("model.queued", actor)).delete()


def _made(action: str, actor: str) -> list[int]:
    targets = AuditEntry.objects.filter(action=action, actor=actor).values_list("target", flat=True)
    return [int(target.partition(":")[2]) for target in targets]
