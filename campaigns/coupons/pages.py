"""Staff pages of coupon pools: what is left of each, and adding codes."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns.coupons import services
from campaigns.coupons.selectors import pools
from campaigns.errors import InvalidCoupons
from campaigns.models import CouponPool
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page

MAX_BYTES = 20_000_000


@staff_page("campaigns.view_couponpool")
def pool_list(request: HttpRequest) -> HttpResponse:
    """The pools, and the form of a new one."""
    may = request.user.has_perm("campaigns.add_couponpool")
    context: dict[str, Any] = {"pools": pools(), "can_add": may, "given": request.POST}
    if request.method == "POST":
        if not may:
            return HttpResponse(status=403)
        try:
            pool = services.save_pool(**_given(request), actor=actor_name(request))
            return redirect("coupons:pool", pool.name)
        except InvalidCoupons as error:
            context["trouble"] = error.detail
    return render_page(request, "campaigns/coupon_pools.html", context, title=_("Coupons"))


@staff_page("campaigns.view_couponpool")
def pool(request: HttpRequest, name: str) -> HttpResponse:
    """One pool; POST changes it and adds the codes of the text and of the file."""
    row = get_object_or_404(pools(), name=name)
    may = request.user.has_perm("campaigns.change_couponpool")
    context: dict[str, Any] = {
        "pool": row,
        "can_save": may,
        "tag": f'{{% coupon "{name}" %}}{{{{ coupon }}}}',
    }
    if request.method == "POST":
        if not may:
            return HttpResponse(status=403)
        try:
            services.save_pool(**{**_given(request), "name": name}, actor=actor_name(request))
            added, known = services.add_codes(row, _codes(request), actor=actor_name(request))
        except InvalidCoupons as error:
            context |= {"trouble": error.detail, "given": request.POST}
        else:
            if added or known:
                facts = {"added": added, "known": known}
                messages.success(request, _("%(added)s codes added, %(known)s were there already.") % facts)
            return redirect("coupons:pool", name)
    return render_page(request, "campaigns/coupon_pool.html", context, title=name)


@require_POST
@staff_page("campaigns.delete_couponpool")
def archive(request: HttpRequest, name: str) -> HttpResponse:
    services.archive_pool(get_object_or_404(CouponPool, name=name), actor=actor_name(request))
    return redirect("coupons:list")


def _given(request: HttpRequest) -> dict[str, Any]:
    low_at = request.POST.get("low_at", "100").strip()
    if not low_at.isdigit() or len(low_at) > 9:
        raise InvalidCoupons(_("Write a whole number below which you want to be warned."))
    return {
        "name": request.POST.get("name", "").strip(), "description": request.POST.get("description", ""),
        "low_at": int(low_at),
    }  # fmt: skip


def _codes(request: HttpRequest) -> list[str]:
    """One a line; of a table the first column."""
    text = request.POST.get("codes", "")
    upload = request.FILES.get("file")
    if upload is not None:
        if (upload.size or 0) > MAX_BYTES:
            raise InvalidCoupons(_("The file is too large: 20 MB at most."))
        try:
            text += "\n" + upload.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InvalidCoupons(_("The file is no text in UTF-8.")) from None
    lines = (line.replace(";", ",").partition(",")[0].strip().strip('"') for line in text.splitlines())
    return [line for line in lines if line]
