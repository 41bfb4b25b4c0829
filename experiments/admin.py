"""Experiments to look at, metrics to define."""

import json
from typing import Any

from django.contrib import admin
from django.forms import ChoiceField, ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminSelectWidget

from experiments import metrics
from experiments.models import Experiment, Metric, Variant
from experiments.traffic.admin import ClientKeyAdmin, HoldoutAdmin, LayerAdmin, say_part, say_share

__all__ = ["ClientKeyAdmin", "ExperimentAdmin", "HoldoutAdmin", "LayerAdmin", "MetricAdmin"]


class ReadOnly:
    """A launch makes experiments; changing one by hand would break what it measured."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class VariantInline(ReadOnly, TabularInline):
    model = Variant
    fields = readonly_fields = ["key", "name", "share", "is_control", "given", "forced"]
    extra = 0

    @admin.display(description=_("weight"))
    def share(self, variant: Variant) -> str:
        return say_share(variant.weight)

    @admin.display(description=_("value"))
    def given(self, variant: Variant) -> str:
        return "–" if variant.value is None else json.dumps(variant.value, ensure_ascii=False)

    @admin.display(description=_("always for"))
    def forced(self, variant: Variant) -> str:
        return ", ".join(variant.forced_ids) or "–"


@admin.register(Experiment)
class ExperimentAdmin(ReadOnly, ModelAdmin):
    empty_text = _(
        "Each campaign with variants or a control group makes one; programs make more over the API."
    )
    list_display = [
        "name",
        "key",
        "report",
        "taken_in",
        "layer",
        "is_served",
        "created_at",
        "started_at",
        "ended_at",
    ]
    list_filter = ["origin", "is_served", "layer"]
    search_fields = ["name", "key"]
    fields = [
        "key", "name", "origin", "taken_in", "segment_version", "layer", "part",
        "is_served", "hash_version", "created_at", "started_at", "ended_at", "shipped", "shipped_to",
    ]  # fmt: skip
    readonly_fields = ["taken_in", "part", "shipped_to"]
    inlines = [VariantInline]

    @admin.display(description=_("coverage"), ordering="coverage")
    def taken_in(self, experiment: Experiment) -> str:
        return say_share(experiment.coverage)

    @admin.display(description=_("part of the layer"))
    def part(self, experiment: Experiment) -> str:
        return say_part(experiment)

    @admin.display(description=_("shipped to the share"))
    def shipped_to(self, experiment: Experiment) -> str:
        return say_share(experiment.shipped_share) if experiment.shipped_id else "–"

    @admin.display(description=_("report"))
    def report(self, experiment: Experiment) -> str:
        address = reverse("experiments:report", args=[experiment.key])
        return format_html('<a href="{}">{}</a>', address, gettext("See what it found"))


class MetricForm(ModelForm):
    kind = ChoiceField(
        label=_("Kind"),
        choices=lambda: [(name, gettext(metrics.get(name).label)) for name in metrics.names()],
        widget=UnfoldAdminSelectWidget,
        help_text=_("How the events of one customer become one number."),
    )

    class Meta:
        model = Metric
        fields = [
            "name", "key", "kind", "event", "direction", "role", "margin", "scope", "property_name",
            "property_value", "from_day", "window_days", "denominator_event", "quantile", "cap",
            "covariate_days", "position",
        ]  # fmt: skip


@admin.register(Metric)
class MetricAdmin(ModelAdmin):
    empty_text = _("A metric says what counts: which event, within how many days, summed or yes and no.")
    form = MetricForm
    list_display = ["title", "event", "counts", "role", "direction", "scope", "window_days"]
    list_filter = ["kind", "role", "scope", "direction"]
    search_fields = ["name", "key", "event"]
    list_display_links = ["title"]
    prepopulated_fields = {"key": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "key", "kind", "event", "direction", "role", "margin"]}),
        (
            _("What counts"),
            {
                "fields": [
                    "scope", ("property_name", "property_value"), ("from_day", "window_days"),
                    "denominator_event", "quantile",
                ]
            },
        ),
        (_("Narrower intervals"), {"fields": ["cap", "covariate_days"]}),
        (_("Order in the report"), {"fields": ["position"]}),
    ]  # fmt: skip

    @admin.display(description=_("name"), ordering="name")
    def title(self, metric: Metric) -> str:
        """As reports call it: the names of the default metrics are translated."""
        return gettext(metric.name)

    @admin.display(description=_("kind"), ordering="kind")
    def counts(self, metric: Metric) -> str:
        return gettext(metrics.get(metric.kind).label)
