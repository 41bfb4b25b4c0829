from django.urls import path

from personalization.access.signing_in import account_pages, login_pages

app_name = "account"
urlpatterns = [
    path("", account_pages.home, name="home"),
    path("code", login_pages.ask_code, name="code"),
    path("second-factor", account_pages.set_up, name="second-factor"),
    path("second-factor/off", account_pages.switch_off, name="second-factor-off"),
    path("recovery-codes", account_pages.renew_codes, name="recovery-codes"),
    path("sessions/others/end", account_pages.end_others, name="end-others"),
    path("sessions/<int:pk>/end", account_pages.end_session, name="end-session"),
    path("single-sign-on", login_pages.start_single_sign_on, name="single-sign-on"),
    path("single-sign-on/callback", login_pages.finish_single_sign_on, name="callback"),
    path("single-sign-on/disconnect", account_pages.disconnect, name="disconnect"),
]
