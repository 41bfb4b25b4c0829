"""The forms of placements and offers; what makes sense is for the services."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.item_choice import DEFAULT_COUNT, MAX_COUNT
from campaigns.onsite.models import Offer, Placement
from campaigns.onsite.services import MAX_CONTENTS, ContentDraft, OfferDraft
from experiments.models import Metric
from recommender.ranking.rules import Rules


def _style(form: forms.BaseForm) -> None:
    for field in form.fields.values():
        if not isinstance(field.widget, forms.CheckboxInput):
            field.widget.attrs.setdefault("class", "b-input")


class NamesField(forms.CharField):
    """A list of names, written with commas."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        found = super().clean(value) or ""
        return [
            name.strip() for name in found.replace("，", ",").replace("、", ",").split(",") if name.strip()
        ]


class PlacementForm(forms.ModelForm):
    tells_apart = NamesField(
        label=_("Tells customers apart by"), required=False, max_length=1000,
        widget=forms.TextInput(attrs={"placeholder": "device, daypart, weekend, country, language"}),
        help_text=Placement._meta.get_field("tells_apart").help_text,
    )  # fmt: skip

    class Meta:
        model = Placement
        fields = ["name", "key", "order", "metric", "tells_apart", "fallback"]
        widgets = {"fallback": forms.Textarea(attrs={"rows": 5, "spellcheck": "false"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].disabled = self.instance.pk is not None
        metric: Any = self.fields["metric"]
        metric.queryset = Metric.objects.filter(archived_at=None)
        metric.empty_label = _("Not needed for this order")
        _style(self)


class OfferForm(forms.ModelForm):
    class Meta:
        model = Offer
        fields = [
            "name", "placement", "segment", "priority", "value", "control_share", "max_views", "view_days",
            "starts_at", "ends_at",
        ]  # fmt: skip
        widgets = {
            name: forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
            for name in ("starts_at", "ends_at")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        placement: Any = self.fields["placement"]
        placement.queryset = Placement.objects.filter(archived_at=None)
        placement.disabled = self.instance.pk is not None
        segment: Any = self.fields["segment"]
        segment.queryset = segment.queryset.filter(archived_at=None)
        segment.empty_label = _("Everybody, unknown visitors too")
        _style(self)

    def _post_clean(self) -> None:
        """The services write: the form only reads."""


class ContentForm(forms.Form):
    key = forms.CharField(label=_("Key"), max_length=50)
    name = forms.CharField(label=_("Variant name"), max_length=100, required=False)
    weight = forms.FloatField(label=_("Weight"), initial=1.0)
    item_count = forms.IntegerField(
        label=_("How many items"), min_value=1, max_value=MAX_COUNT, initial=DEFAULT_COUNT
    )
    body = forms.CharField(
        label=_("Content (HTML with Liquid)"), strip=False,
        widget=forms.Textarea(attrs={"rows": 9, "spellcheck": "false"}),
    )  # fmt: skip
    rules = forms.JSONField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _style(self)


ContentForms = forms.formset_factory(
    ContentForm, extra=0, min_num=1, validate_min=True, max_num=MAX_CONTENTS, validate_max=True,
    can_delete=True,
)  # fmt: skip


def draft_of(form: OfferForm, contents: Any) -> OfferDraft:
    """Of valid forms."""
    kept = [one.cleaned_data for one in contents if one.cleaned_data and not one.cleaned_data.get("DELETE")]
    drafts = [
        ContentDraft(
            one["key"], one["body"], one["name"], one["weight"], one["item_count"],
            Rules.from_json(one["rules"] or {}),
        )
        for one in kept
    ]  # fmt: skip
    return OfferDraft(contents=drafts, **form.cleaned_data)
