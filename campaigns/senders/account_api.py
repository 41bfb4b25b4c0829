"""The API of accounts with providers. Secrets go in and never come out."""

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.models import SenderAccount
from campaigns.pacing.rates import LEAST, MOST, Pace
from campaigns.pacing.warm_up import MAX_DAYS, MAX_GROUPS, WarmUp
from campaigns.pacing.warm_up import MOST as MOST_A_DAY
from campaigns.senders import accounts
from campaigns.transport import breaker
from campaigns.transport.accounts import breaker_key
from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope, User
from personalization.access.pagination import CursorPagination, answer_page
from personalization.access.services import actor_name
from personalization.customers.models import Channel

SCOPES = {
    "GET": Scope.SENDERS_READ, "POST": Scope.SENDERS_WRITE, "PUT": Scope.SENDERS_WRITE,
    "DELETE": Scope.SENDERS_WRITE,
}  # fmt: skip


NO_PLAN: dict[str, Any] = {"volumes": [], "starts_on": None, "zone": "UTC", "hour": 9, "groups": []}


class PaceSerializer(KnownFields, serializers.Serializer[Any]):
    """How fast the account may send, over all campaigns and journeys; null: as fast as it goes."""

    per_second = serializers.FloatField(
        min_value=LEAST, max_value=MOST, allow_null=True, default=None, help_text="Messages a second at most."
    )
    per_domain = serializers.FloatField(
        min_value=LEAST, max_value=MOST, allow_null=True, default=None,
        help_text="Messages a second at most to each domain of recipients (e-mail).",
    )  # fmt: skip
    domains = serializers.DictField(
        child=serializers.FloatField(min_value=LEAST, max_value=MOST), default=dict,
        help_text="Domains of recipients with a rate of their own.",
    )  # fmt: skip

    def to_representation(self, value: Any) -> dict[str, Any]:
        return Pace.from_json(value).as_json()


class WarmUpGroupSerializer(KnownFields, serializers.Serializer[Any]):
    domains = serializers.ListField(
        child=serializers.CharField(max_length=253), min_length=1, max_length=100,
        help_text="Recipient domains of one mailbox provider.",
    )  # fmt: skip
    volumes = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MOST_A_DAY), min_length=1, max_length=MAX_DAYS,
        help_text="Messages to them on each day.",
    )  # fmt: skip


class WarmUpSerializer(KnownFields, serializers.Serializer[Any]):
    volumes = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MOST_A_DAY), max_length=MAX_DAYS,
        help_text="Messages on each day, from the first on; after them there is no limit.",
    )  # fmt: skip
    starts_on = serializers.DateField(allow_null=True, default=None, help_text="The first day.")
    zone = serializers.CharField(default="UTC", max_length=64, help_text="Whose calendar days these are.")
    hour = serializers.IntegerField(
        min_value=0, max_value=23, default=9, help_text="When what waited goes on, on the day after."
    )
    groups = serializers.ListField(
        child=WarmUpGroupSerializer(), default=list, max_length=MAX_GROUPS,
        help_text="Domains with volumes of their own; `volumes` is then for all others.",
    )  # fmt: skip

    def to_representation(self, value: Any) -> dict[str, Any]:
        plan = WarmUp.from_json(value)
        return plan.as_json() if plan else NO_PLAN


class AccountSerializer(KnownFields, serializers.ModelSerializer[SenderAccount]):
    channel = serializers.ChoiceField(choices=Channel.choices)
    values = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=10_000), write_only=True,
        help_text="Options and secrets of the provider; a secret left empty stays as it was.",
    )  # fmt: skip
    secrets_kept = serializers.SerializerMethodField(help_text="Names of the secrets that are stored.")
    trouble = serializers.SerializerMethodField(help_text="Why the account is left alone now; empty if not.")

    pace = PaceSerializer(required=False)
    warm_up = WarmUpSerializer(
        required=False, help_text="An empty list of volumes: no warm-up, and the sender has no daily limit."
    )

    class Meta:
        model = SenderAccount
        fields = [
            "id", "name", "channel", "options", "values", "secrets_kept", "position", "is_active", "pace",
            "warm_up", "trouble",
        ]  # fmt: skip
        read_only_fields = ["options"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}

    def get_secrets_kept(self, account: SenderAccount) -> list[str]:
        return sorted(account.secret_values)

    def get_trouble(self, account: SenderAccount) -> str:
        state = breaker.state(breaker_key(account))
        return state.reason if state.until else ""


class AccountsView(APIView):
    required_scope = SCOPES
    pagination_class = CursorPagination

    @extend_schema(responses=AccountSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All accounts with providers, oldest first."""
        return answer_page(self, request, SenderAccount.objects.all(), AccountSerializer)

    @extend_schema(request=AccountSerializer, responses={201: AccountSerializer})
    def post(self, request: Request) -> Response:
        """A new account; 422 names every field that is wrong."""
        return Response(AccountSerializer(_save(None, request)).data, status=status.HTTP_201_CREATED)


class AccountView(APIView):
    required_scope = SCOPES

    @extend_schema(responses=AccountSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One account."""
        return Response(AccountSerializer(get_object_or_404(SenderAccount, pk=pk)).data)

    @extend_schema(request=AccountSerializer, responses=AccountSerializer)
    def put(self, request: Request, pk: int) -> Response:
        """Changes an account."""
        return Response(AccountSerializer(_save(get_object_or_404(SenderAccount, pk=pk), request)).data)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Removes an account with its secrets."""
        _must_manage(request)
        accounts.delete_account(get_object_or_404(SenderAccount, pk=pk), actor=actor_name(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _save(account: SenderAccount | None, request: Request) -> SenderAccount:
    _must_manage(request)
    body = AccountSerializer(account, data=request.data)
    body.is_valid(raise_exception=True)
    data: dict[str, Any] = dict(body.validated_data)
    return accounts.save_account(account, **data, actor=actor_name(request))


def _must_manage(request: Request) -> None:
    """Staff need the right to these very rows: they decide where data goes. Keys have it by their scope."""
    if isinstance(request.user, User) and not request.user.has_perm("campaigns.change_senderaccount"):
        raise PermissionDenied
