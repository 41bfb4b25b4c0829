"""Staff, keys and the audit log in the admin shell."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.forms import BooleanField, CheckboxSelectMultiple, ModelForm, MultipleChoiceField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldBooleanWidget

from personalization.access import log_admin as log_admin
from personalization.access import services
from personalization.access.boxes import ChoosesByBoxes, role_name
from personalization.access.models import (
    ApiKey,
    RoleRule,
    Scope,
    StaffSession,
    User,
)
from personalization.access.posted_search import PostedSearch
from personalization.access.signing_in import second_factor, sessions

admin.site.unregister(Group)


class ByRole(admin.RelatedFieldListFilter):
    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return [(group.pk, role_name(group)) for group in Group.objects.order_by("name")]


@admin.register(User)
class UserAdmin(PostedSearch, ChoosesByBoxes, DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = [
        "username",
        "email",
        "first_name",
        "last_name",
        "is_staff",
        "has_second_factor",
        "last_login",
    ]
    list_select_related = ["second_factor"]
    list_filter = ["is_staff", "is_superuser", "is_active", ("groups", ByRole)]
    actions = ["switch_second_factor_off", "log_out"]

    @display(description=_("second factor"), boolean=True)
    def has_second_factor(self, user: User) -> bool:
        factor = getattr(user, "second_factor", None)
        return factor is not None and factor.confirmed_at is not None

    @admin.action(description=_("Switch the second factor off (lost phone)"), permissions=["change"])
    def switch_second_factor_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            second_factor.switch_off(user, actor=services.actor_name(request))
        messages.success(request, _("Switched off. Who needs one is asked to set it up at the next log-in."))

    @admin.action(description=_("Log out everywhere"), permissions=["change"])
    def log_out(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        found = StaffSession.objects.filter(user__in=queryset)
        sessions.end_sessions(found, actor=services.actor_name(request))
        messages.success(request, _("Logged out everywhere."))


class RoleRuleInline(StackedInline):
    model = RoleRule
    can_delete = False
    hide_title = True


@admin.register(Group)
class GroupAdmin(ChoosesByBoxes, DjangoGroupAdmin, ModelAdmin):
    inlines = [RoleRuleInline]
    list_display = ["role"]

    @display(description=_("Role"), ordering="name")
    def role(self, group: Group) -> str:
        return role_name(group)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        rule = RoleRule.objects.filter(group=form.instance).first()
        services.audit(
            actor=services.actor_name(request), action="role.saved", target=f"role:{form.instance.pk}",
            second_factor_required=rule is not None and rule.second_factor_required,
        )  # fmt: skip


class ApiKeyForm(ModelForm):
    scopes = MultipleChoiceField(label=_("Scopes"), choices=Scope, widget=CheckboxSelectMultiple)
    is_test = BooleanField(
        label=_("Test key"), required=False, widget=UnfoldBooleanWidget,
        help_text=_("What it triggers is made and kept, but nothing leaves the house and nothing counts."),
    )  # fmt: skip

    class Meta:
        model = ApiKey
        fields = ["name", "is_test", "scopes", "expires_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    empty_text = _(
        "A program calls the API with a key of its own. Its scopes say what it may do; it is shown once."
    )
    form = ApiKeyForm
    list_display = [
        "name",
        "kind",
        "prefix",
        "what_it_may",
        "created_by",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    ]
    search_fields = ["name", "prefix"]
    actions = ["revoke"]

    readonly_fields = [
        "kind",
        "what_it_may",
        "prefix",
        "created_by",
        "created_at",
        "last_used_at",
        "revoked_at",
    ]

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[Any]:
        made = ["name", *self.readonly_fields[:-1], "expires_at", "revoked_at"]
        return list(ApiKeyForm.Meta.fields) if obj is None else made

    @display(description=_("scopes"))
    def what_it_may(self, key: ApiKey) -> str:
        words = dict(Scope.choices)
        return " · ".join(str(words.get(scope, scope)) for scope in key.scopes)

    @display(description=_("kind"), label={_("Test"): "warning", _("Live"): "success"})
    def kind(self, key: ApiKey) -> str:
        return str(_("Test") if key.is_test else _("Live"))

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        # A key is made or revoked, never widened behind its owner's back.
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: ModelForm, change: bool) -> None:
        key, token = services.create_key(
            name=obj.name, scopes=obj.scopes, created_by=cast(User, request.user), expires_at=obj.expires_at,
            is_test=form.cleaned_data["is_test"],
        )  # fmt: skip
        obj.pk, obj.prefix = key.pk, key.prefix
        messages.warning(
            request, _("Copy the key now, it is shown only this once: %(token)s") % {"token": token}
        )

    @admin.action(description=_("Revoke the chosen keys"), permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            services.revoke_key(key, actor=services.actor_name(request))
        messages.success(request, _("Revoked. Programs that use them are refused from now on."))
