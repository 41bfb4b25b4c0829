from django.urls import path

from campaigns.feedback import views

app_name = "hooks"
urlpatterns = [
    path("email/<int:account>", views.email_events, name="email"),
    path("sms/<slug:number>", views.sms_status, name="sms"),
    path("sms/<int:account>/inbound", views.sms_inbound, name="sms-inbound"),
    path("whatsapp/<int:account>", views.whatsapp_calls, name="whatsapp"),
]
