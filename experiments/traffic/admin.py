"""Layers, holdouts and client keys in the admin shell. Writes go through the services."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Value
from django.forms import FloatField, ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from experiments.errors import HoldoutEnded, InvalidHoldout
from experiments.models import ClientKey, Experiment, Holdout, HoldoutVersion, Layer
from experiments.traffic import client_keys, holdouts
from experiments.traffic.layers import free_text, taken_parts
from personalization.access.audit_words import say_actor
from personalization.access.models import User
from personalization.access.services import actor_name
from personalization.customers.reading import may_see
from personalization.privacy.told import told_words


def say_share(share: float) -> str:
    """0.05 as 5 %."""
    return f"{share * 100:g} %"


def say_part(experiment: Experiment) -> str:
    """Where an experiment lies in its layer: 0 – 50 %; nothing to say where it has none."""
    if experiment.layer_start is None or experiment.layer_end is None:
        return "–"
    return f"{float(experiment.layer_start) * 100:g} – {say_share(float(experiment.layer_end))}"


class Kept:
    """Nothing here is deleted: what was measured with it refers to it."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Shown(Kept):
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LayerExperiments(Shown, TabularInline):
    model = Experiment
    verbose_name_plural = _("experiments of this layer")
    fields = readonly_fields = ["name", "part", "started_at", "ended_at"]
    extra = 0

    @display(description=_("part of the layer"))
    def part(self, experiment: Experiment) -> str:
        return say_part(experiment)


@admin.register(Layer)
class LayerAdmin(Kept, ModelAdmin):
    empty_text = _("Experiments in one layer share its customers out: nobody is in two of them.")
    list_display = ["name", "key", "free", "created_at"]
    fields = ["name", "key", "hash_version"]
    prepopulated_fields = {"key": ["name"]}
    inlines = [LayerExperiments]

    def get_readonly_fields(self, request: HttpRequest, obj: Layer | None = None) -> list[str]:
        return ["key", "hash_version"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Layer | None = None) -> dict[str, Any]:
        return {} if obj else {"key": ["name"]}

    @admin.display(description=_("free"))
    def free(self, layer: Layer) -> str:
        return free_text(taken_parts(layer))


class HoldoutForm(ModelForm):
    share = FloatField(
        label=_("Share"),
        min_value=0.0001,
        max_value=holdouts.MAX_SHARE,
        initial=0.05,
        help_text=_(
            "0.05 keeps 5 % of all customers out. A larger share takes more in; a smaller one lets some go,"
            " who then can get messages again."
        ),
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = Holdout
        fields = ["name", "key", "is_global"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["share"].initial = self.instance.versions.latest("number").share

    def clean(self) -> dict[str, Any]:
        if self.instance.ended_at is not None:
            raise ValidationError(_("An ended holdout stays ended: make a new one."))
        return super().clean() or self.cleaned_data


class HoldoutVersions(Shown, TabularInline):
    model = HoldoutVersion
    verbose_name_plural = _("how the members were drawn")
    fields = readonly_fields = ["number", "share_shown", "started_at", "by"]
    extra = 0

    @display(description=_("share"))
    def share_shown(self, version: HoldoutVersion) -> str:
        return say_share(version.share)

    @display(description=_("created by"))
    def by(self, version: HoldoutVersion) -> str:
        return say_actor(version.created_by)


@admin.register(Holdout)
class HoldoutAdmin(Kept, ModelAdmin):
    empty_text = _(
        "A holdout is a small group that gets nothing: against it all your messages together are measured."
    )
    form = HoldoutForm
    list_display = ["name", "is_global", "share_now", "members_now", "since", "ended_at", "earned"]
    fields = ["name", "key", "is_global", "share"]
    inlines = [HoldoutVersions]
    actions = ["draw_anew", "end"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Holdout]:
        newest = HoldoutVersion.objects.filter(holdout=OuterRef("pk")).order_by("-number")
        return (
            super()
            .get_queryset(request)
            .annotate(
                present=Count("members", filter=Q(members__left_at=None)),
                current_share=Subquery(newest.values("share")[:1]),
                is_whole=Value(may_see(request)),
                begun_at=Subquery(newest.reverse().values("started_at")[:1]),
            )
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Holdout | None = None) -> list[str]:
        return ["key", "is_global"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Holdout | None = None) -> dict[str, Any]:
        return {} if obj else {"key": ["name"]}

    def get_inlines(self, request: HttpRequest, obj: Holdout | None) -> list[Any]:
        return self.inlines if obj else []

    @admin.display(description=_("share"), ordering="current_share")
    def share_now(self, holdout: Any) -> str:
        return "–" if holdout.ended_at else say_share(holdout.current_share)

    @admin.display(description=_("since"), ordering="begun_at")
    def since(self, holdout: Any) -> Any:
        return holdout.begun_at

    @admin.display(description=_("earned"))
    def earned(self, holdout: Any) -> str:
        address = reverse("experiments:long-run", args=[holdout.key])
        return format_html('<a href="{}">{}</a>', address, _("What everything earned"))

    @admin.display(description=_("members"), ordering="present")
    def members_now(self, holdout: Any) -> str:
        return told_words(holdout.present, whole=holdout.is_whole)

    def save_model(self, request: HttpRequest, obj: Holdout, form: Any, change: bool) -> None:
        share, now, actor = form.cleaned_data["share"], timezone.now(), actor_name(request)
        if not change:
            made = holdouts.create_holdout(
                key=obj.key, name=obj.name, share=share, is_global=obj.is_global, at=now, actor=actor
            )
            obj.pk = made.pk
            return
        super().save_model(request, obj, form, change)
        if share != obj.versions.latest("number").share:
            holdouts.change_share(obj, share=share, at=now, actor=actor)

    @admin.action(description=_("Draw the members anew"), permissions=["change"])
    def draw_anew(self, request: HttpRequest, queryset: QuerySet[Holdout]) -> None:
        for holdout in queryset:
            try:
                holdouts.redraw(holdout, at=timezone.now(), actor=actor_name(request))
            except (HoldoutEnded, InvalidHoldout) as error:
                messages.error(request, f"{holdout}: {error}")
            else:
                messages.success(request, _("%(holdout)s: drawn anew.") % {"holdout": holdout})

    @admin.action(description=_("End: the members can get messages again"), permissions=["change"])
    def end(self, request: HttpRequest, queryset: QuerySet[Holdout]) -> None:
        for holdout in queryset:
            holdouts.end_holdout(holdout, at=timezone.now(), actor=actor_name(request))
        messages.success(request, _("Ended. Who was held out when stays on record."))


@admin.register(ClientKey)
class ClientKeyAdmin(Kept, ModelAdmin):
    empty_text = _(
        "A web page or an app asks for its variants with a client key. It may stand in public code."
    )
    list_display = ["name", "key", "created_by", "created_at", "revoked_at"]
    fields = ["name"]
    search_fields = ["name", "key"]
    actions = ["revoke"]

    def has_change_permission(self, request: HttpRequest, obj: ClientKey | None = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: ClientKey, form: Any, change: bool) -> None:
        made = client_keys.create_client_key(
            name=obj.name, created_by=cast(User, request.user), actor=actor_name(request)
        )
        obj.pk, obj.key = made.pk, made.key

    @admin.action(description=_("Revoke the chosen keys"), permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ClientKey]) -> None:
        for key in queryset:
            client_keys.revoke_client_key(key, actor=actor_name(request))
        messages.success(request, _("Revoked. Clients that use them load nothing new from now on."))
