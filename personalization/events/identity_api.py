"""Merges over HTTP: what was joined, joining two profiles, taking it back."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.pagination import NewestFirst, answer_page
from personalization.access.services import actor_name
from personalization.customers import selectors
from personalization.customers.errors import UnknownCustomer
from personalization.customers.models import Merge
from personalization.customers.reading import may_see
from personalization.events import merging


class MergeSerializer(serializers.ModelSerializer):
    class Meta:
        model = Merge
        fields = [
            "id",
            "survivor",
            "source_id",
            "reason",
            "actor",
            "note",
            "merged_at",
            "undone_at",
            "undone_by",
        ]
        read_only_fields = fields


class MergeRequest(KnownFields, serializers.Serializer):
    source = serializers.CharField(  # type: ignore[assignment]  # DRF's own attribute of this name
        max_length=200, help_text="Your own id of the profile to take in, or `#` and our number of it."
    )
    note = serializers.CharField(required=False, allow_blank=True, max_length=300, help_text="Why.")


class CustomerMerges(APIView):
    required_scope = {"GET": Scope.CUSTOMERS_READ, "POST": Scope.CUSTOMERS_WRITE}
    pagination_class = NewestFirst

    @extend_schema(responses=MergeSerializer(many=True))
    def get(self, request: Request, external_id: str) -> Response:
        """The profiles this customer took in, newest first; those that were taken back too."""
        customer = selectors.find(external_id)
        if customer is None:
            raise UnknownCustomer
        answer = answer_page(self, request, customer.merges.all(), MergeSerializer)
        if not may_see(request):
            for row in answer.data["results"]:  # whoever wrote the note may have named the person
                row["note"] = ""
        return answer

    @extend_schema(request=MergeRequest, responses={201: MergeSerializer})
    def post(self, request: Request, external_id: str) -> Response:
        """Takes another profile into this customer. It can be undone."""
        serializer = MergeRequest(data=request.data)
        serializer.is_valid(raise_exception=True)
        target, source = selectors.find(external_id), selectors.find_any(serializer.validated_data["source"])
        if target is None or source is None:
            raise UnknownCustomer(
                str(_("The profile to take in is not known.") if target else _("The customer is not known."))
            )
        merge = merging.merge_by_hand(
            source.pk,
            into_id=target.pk,
            actor=actor_name(request),
            note=serializer.validated_data.get("note", ""),
        )
        return Response(MergeSerializer(merge).data, status=201)


class MergeUndo(APIView):
    required_scope = Scope.CUSTOMERS_WRITE

    @extend_schema(request=None, responses=MergeSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Both profiles again. What happened since the merge stays with the one that took the other in."""
        merging.unmerge_by_hand(pk, actor=actor_name(request))
        return Response(MergeSerializer(Merge.objects.get(pk=pk)).data)
