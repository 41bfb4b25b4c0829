from django.urls import path

from campaigns.coupons.api import PoolCodesView, PoolListView, PoolView

urlpatterns = [
    path("coupon-pools", PoolListView.as_view()),
    path("coupon-pools/<slug:name>", PoolView.as_view()),
    path("coupon-pools/<slug:name>/codes", PoolCodesView.as_view()),
]
