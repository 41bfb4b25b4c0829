"""Roles and permissions as boxes to tick, in words: a table of rights instead of a list of Django's own."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.forms import CheckboxSelectMultiple, ModelMultipleChoiceField
from django.forms.models import ModelChoiceIterator
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop, pgettext_lazy
from django.utils.translation import gettext_lazy as _

gettext_noop("group"), gettext_noop("groups")  # Django's names of its model: roles, in every language
# Tables without pages of their own, which Django names after their classes.
gettext_noop("external identity"), gettext_noop("kept answer"), gettext_noop("recovery code")
gettext_noop("staff session"), gettext_noop("journey draft"), gettext_noop("identifier claim")
gettext_noop("segment watch")
# What comes with every installation; the shop's own roles are called as they were named.
ROLE_NAMES = {
    "Administrator": _("Administrator"),
    "Analyst": _("Analyst"),
    "Approver": _("Approver"),
    "Author": _("Author"),
    "Campaign manager": _("Campaign manager"),
    "Data manager": _("Data manager"),
    "Viewer": _("Viewer"),
}
# How the name of a permission begins; longer ones come first.
DEEDS = {
    "view_personal_data": _("See names, addresses and traits"),
    "view_sensitive_traits": _("See sensitive and encrypted traits"),
    "view": pgettext_lazy("permission", "View"),
    "add": pgettext_lazy("permission", "Add"),
    "change": pgettext_lazy("permission", "Change"),
    "delete": pgettext_lazy("permission", "Delete"),
    "approve": pgettext_lazy("permission", "Approve"),
    "launch": pgettext_lazy("permission", "Launch"),
}


def role_name(group: Group) -> str:
    return str(ROLE_NAMES.get(group.name, group.name))


def deed_of(permission: Permission) -> str:
    """What it lets one do with the thing it is about."""
    found = (word for deed, word in DEEDS.items() if permission.codename.startswith(deed))
    return str(next(found, permission.name))


def thing_of(permission: Permission) -> str:
    """What it is about; the name of the table for one that is gone."""
    kind = permission.content_type
    try:
        return capfirst(gettext(str(apps.get_model(kind.app_label, kind.model)._meta.verbose_name)))
    except LookupError:
        return kind.model


class ByThing(ModelChoiceIterator):
    """Permissions under the name of what they are about."""

    def __iter__(self) -> Iterator[Any]:
        ordered = sorted(self.queryset, key=lambda one: (thing_of(one), one.content_type_id, one.pk))
        for (thing, _kind), found in groupby(ordered, key=lambda one: (thing_of(one), one.content_type_id)):
            yield thing, [self.choice(one) for one in found]


class RightsField(ModelMultipleChoiceField):
    iterator = ByThing

    def label_from_instance(self, obj: Any) -> str:
        return deed_of(obj)


class RolesField(ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return role_name(obj)


class Boxes(CheckboxSelectMultiple):
    def get_context(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(*args, **kwargs)
        context["widget"]["attrs"]["class"] = "b-choices"
        return context

    def create_option(self, name: str, value: Any, label: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """A reader of screens hears each box without the name above its row."""
        option = super().create_option(name, value, label, *args, **kwargs)
        if isinstance(permission := getattr(value, "instance", None), Permission):
            option["attrs"]["aria-label"] = f"{label}: {thing_of(permission)}"
        return option


class ChoosesByBoxes:
    """Boxes to tick instead of two lists to move entries between, which a keyboard can hardly use."""

    filter_horizontal: Any = ()

    def formfield_for_manytomany(self, db_field: Any, *args: Any, **kwargs: Any) -> Any:
        field = {Permission: RightsField, Group: RolesField}[db_field.related_model]
        return super().formfield_for_manytomany(  # type: ignore[misc]
            db_field, *args, **{**kwargs, "widget": Boxes, "form_class": field}
        )
