"""What a caller of the API may do: programs by the scopes of their key, staff by their permissions."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from personalization.access.models import ApiKey, Scope

if TYPE_CHECKING:  # rest_framework.views imports this module through the settings
    from rest_framework.views import APIView

# Staff use the same API from the browser; each scope asks for the matching Django permission.
STAFF_PERMISSION = {
    Scope.INGEST: "events.add_event",
    Scope.CUSTOMERS_READ: "customers.view_customer",
    Scope.CUSTOMERS_WRITE: "customers.change_customer",
    Scope.PRIVACY: "privacy.add_privacyrequest",
    Scope.IMPORTS: "sources.add_import",
    Scope.SEGMENTS_READ: "segments.view_segment",
    Scope.SEGMENTS_WRITE: "segments.change_segment",
    Scope.RECOMMENDATIONS: "recommender.view_modelrun",
    Scope.MODELS_READ: "recommender.view_modelrun",
    Scope.MODELS_WRITE: "recommender.change_modelrun",
    Scope.DECIDE: "onsite.view_offer",
    Scope.CAMPAIGNS_READ: "campaigns.view_campaign",
    Scope.CAMPAIGNS_WRITE: "campaigns.change_campaign",
    Scope.SENDERS_READ: "campaigns.view_senderaccount",
    Scope.SENDERS_WRITE: "campaigns.change_senderaccount",
}


# Whose calls only read, whatever their method.
READING = frozenset(scope for scope in Scope if scope.value.endswith(":read")) | {Scope.RECOMMENDATIONS}


class HasScope(BasePermission):
    """Each view names its `required_scope`: one Scope, or a mapping of HTTP method to Scope.

    A view that names none is closed. Where staff need another permission for a change than the scope's, the
    view names it as `staff_permission`: what a page asks for, the API asks for too.

    A test key reads, and changes something only where the view says `takes_tests`: there it is a test.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        scope = scope_of(view, request.method or "GET")
        if scope is None:
            return False
        if isinstance(request.auth, ApiKey):
            if scope not in request.auth.scopes:
                raise PermissionDenied(lacking(scope))
            return self._may_test(request.auth, scope, request, view)
        permission = staff_permission_of(view, request.method or "GET")
        return bool(
            request.user and request.user.is_staff and permission and request.user.has_perm(permission)
        )

    def _may_test(self, key: ApiKey, scope: Scope, request: Request, view: "APIView") -> bool:
        """Raises PermissionDenied, which says what a test key is for."""
        is_harmless = request.method in SAFE_METHODS or scope in READING
        if key.is_test and not is_harmless and not getattr(view, "takes_tests", False):
            raise PermissionDenied(
                _(
                    "A test key changes nothing: it reads, triggers messages, lets into journeys and sends"
                    " events. Use a live key for this."
                )
            )
        return True


def lacking(scope: Scope) -> str:
    """What to do about a key without it, in words."""
    words = _("This takes a key with the scope %(scope)s: make one under API keys.")
    return str(words % {"scope": scope.value})


def staff_permission_of(view: "APIView", method: str) -> str | None:
    """What a member of staff must hold for this method; None where nobody may."""
    scope, own = scope_of(view, method), getattr(view, "staff_permission", None)
    if scope is None:
        return None
    if own is None or method in SAFE_METHODS:
        return STAFF_PERMISSION[scope]
    return str(own.get(method, STAFF_PERMISSION[scope]) if isinstance(own, dict) else own)


def scope_of(view: "APIView", method: str) -> Scope | None:
    required = getattr(view, "required_scope", None)
    if isinstance(required, dict):
        return required.get(method if method not in ("HEAD", "OPTIONS") else "GET")
    return required
