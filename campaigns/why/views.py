"""Why somebody got a message or not: one screen, and one call."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.models import Campaign, Run
from campaigns.why.answers import deliveries_to, explain
from campaigns.why.words import facts_in_words
from personalization.access.models import Scope
from personalization.access.services import actor_name, audit, is_test_call
from personalization.access.shell import render_page, staff_page
from personalization.customers import reading, search
from personalization.customers import selectors as customers
from personalization.customers.models import Customer


class DecisionOfPersonSerializer(serializers.Serializer[Any]):
    step = serializers.CharField()
    verdict = serializers.ChoiceField(choices=["passed", "stopped", "unknown"])
    sentence = serializers.CharField()
    facts = serializers.DictField()


class WhySerializer(serializers.Serializer[Any]):
    run = serializers.IntegerField()
    is_test = serializers.BooleanField(help_text="Triggered with a test key: nothing left the house.")
    delivery = serializers.IntegerField(allow_null=True, help_text="Null: not in the audience.")
    decisions = DecisionOfPersonSerializer(many=True)


class WhyView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(
        parameters=[
            OpenApiParameter("customer", required=True, description="The shop's own id of the customer."),
            OpenApiParameter("run", int, description="Number of the run; the newest when left out."),
        ],
        responses=WhySerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        """The decisions about one customer, in order, with their inputs; also for those never considered.

        A test key is told of what test keys triggered.
        """
        if not reading.may_see(request):
            raise PermissionDenied  # an id that they may not see is asked for
        campaign = get_object_or_404(Campaign, pk=pk)
        run = _run(campaign, request.query_params.get("run", ""), is_test=is_test_call(request))
        customer = customers.find(request.query_params.get("customer", ""))
        if customer is None:
            raise serializers.ValidationError({"customer": ["Nobody is known by this id."]})
        reading.note_read(request, [customer.pk], page="API: why")
        delivery = next(iter(deliveries_to(run, customer)), None)
        found = explain(run, customer, delivery)
        answer = {
            "run": run.number, "is_test": run.is_test, "delivery": delivery and delivery.pk,
            "decisions": found,
        }  # fmt: skip
        return Response(WhySerializer(answer).data)


def _run(campaign: Campaign, number: str, *, is_test: bool) -> Run:
    runs = Run.everything.filter(campaign=campaign, is_test=is_test).select_related(
        "segment_version__segment", "experiment"
    )
    if number.isdigit():
        return get_object_or_404(runs, number=int(number))
    return get_object_or_404(runs.order_by("-number")[:1])


@staff_page("customers.view_customer")
def why(request: HttpRequest, campaign_id: int, number: int) -> HttpResponse:
    """Asked with `customer` (an id of ours), or by a POST with `words` to search by: they may be a name. With
    `test` about what test keys triggered."""
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    run = _run(campaign, str(number), is_test="test" in request.GET)
    words = request.POST.get("words", "").strip()[:100]
    wanted = request.GET.get("customer", "")
    customer = get_object_or_404(Customer, pk=int(wanted)) if wanted.isdigit() else None
    # Who may not see names may not find out by searching for them.
    may_search = bool(words) and customer is None and reading.may_see(request)
    found = search.search(words, limit=10) if may_search else []
    if len(found) == 1:
        customer = found[0]
    else:
        reading.show(request, found, page="why")
    context: dict[str, Any] = {"run": run, "campaign": run.campaign, "words": words, "found": found}
    if customer is not None:
        audit(actor_name(request), "delivery.explained", f"run:{run.pk}", customer=customer.pk)
        deliveries = deliveries_to(run, customer)
        chosen = request.GET.get("delivery", "")
        delivery = next((one for one in deliveries if str(one.pk) == chosen), next(iter(deliveries), None))
        decisions = [
            {**vars(one), "words": list(facts_in_words(one.facts))}
            for one in explain(run, customer, delivery)
        ]
        # Last: it masks what is shown, and nothing may be explained by masked values.
        reading.show(request, [customer], page="why")
        context |= {
            "customer": customer, "deliveries": deliveries, "delivery": delivery, "decisions": decisions,
            "now": timezone.now(),
        }  # fmt: skip
    return render_page(request, "campaigns/why.html", context, title=_("Who got it, and why"))
