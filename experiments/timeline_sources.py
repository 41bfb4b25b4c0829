"""What this room adds to the timeline of a customer: variants and stays in holdouts."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from experiments.models import Assignment, HoldoutMember
from personalization.customers.timeline import Entry, TimelineSource


class ExperimentEntries(TimelineSource):
    kind = "experiment"
    label = gettext_lazy("Experiments")
    permission = "experiments.view_experiment"
    at_field = "assigned_at"

    def rows(self, customer_id: int) -> QuerySet[Assignment]:
        return Assignment.objects.filter(customer_id=customer_id).select_related("experiment", "variant")

    def tell(self, row: Assignment) -> Entry:
        title = _("Experiment %(experiment)s: %(variant)s") % {
            "experiment": row.experiment.name, "variant": row.variant.name,
        }  # fmt: skip
        detail = _("drawn with a chance of %(chance)s %%") % {"chance": f"{100 * row.propensity:.3g}"}
        return self.entry(
            row, title, detail,
            experiment=row.experiment.key, variant=row.variant.key, propensity=row.propensity,
        )  # fmt: skip


class HoldoutEntries(TimelineSource):
    kind = "holdout"
    label = gettext_lazy("Holdouts")
    permission = "experiments.view_holdout"
    at_field = "entered_at"

    def rows(self, customer_id: int) -> QuerySet[HoldoutMember]:
        return HoldoutMember.objects.filter(customer_id=customer_id).select_related("holdout")

    def tell(self, row: HoldoutMember) -> Entry:
        title = _("Held out: %(holdout)s") % {"holdout": row.holdout.name}
        detail = _("until %(date)s") % {"date": row.left_at.date()} if row.left_at else _("still")
        left_at = row.left_at and row.left_at.isoformat()
        return self.entry(row, title, detail, holdout=row.holdout.key, left_at=left_at)
