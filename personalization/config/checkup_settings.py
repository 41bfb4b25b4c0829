"""What can be said of an installation's settings and disks without asking a server of it."""

import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host
from django.utils.translation import gettext as _

from campaigns.senders.domain_check import check_domain
from personalization.privacy import backup_keys

NEEDED_FREE_MB = 300
Said = tuple[bool, str]
"""Whether it is well, and a sentence."""


def secret_key() -> Said:
    try:
        key = settings.SECRET_KEY
    except ImproperlyConfigured:
        return False, _("SECRET_KEY is not set. bin/run makes one; elsewhere give 50 random characters.")
    if len(key) < 50 or key.startswith("insecure"):
        return False, _("SECRET_KEY is short or the one for tests. Give 50 random characters.")
    return True, _("long and our own.")


def debug() -> Said:
    if settings.DEBUG:
        return False, _("DEBUG is on: an error shows settings and people's data to anybody. Set DEBUG=0.")
    return True, _("DEBUG is off.")


def address() -> Said:
    """Links in mail begin with SITE_URL; pages are answered for ALLOWED_HOSTS alone."""
    site = urlsplit(settings.SITE_URL)
    values = {"url": settings.SITE_URL, "host": site.hostname or ""}
    if not site.hostname or site.scheme not in ("http", "https"):
        return False, _(
            "SITE_URL is %(url)s: give the whole address, such as https://mail.shop.example."
        ) % values
    if not validate_host(site.hostname, settings.ALLOWED_HOSTS):
        return False, _("ALLOWED_HOSTS does not name %(host)s, so no link in a mail works. Add it.") % values
    return True, settings.SITE_URL


def disk() -> Said:
    """The data folder and, where it lies elsewhere, the journal's."""
    folders = [Path(settings.DATA_DIR), Path(settings.JOURNAL_DIR)]
    if not folders[0].exists():
        return False, _("the data folder %(folder)s does not exist. Start bin/run, or make it.") % {
            "folder": folders[0]
        }
    said = ""
    for folder in folders:
        # A journal's folder is made by the first worker.
        there = next(one for one in (folder, *folder.parents) if one.exists())
        free_mb = shutil.disk_usage(there).free // 2**20
        values = {"folder": folder, "free": free_mb}
        if not os.access(there, os.W_OK):
            return False, _("%(folder)s cannot be written to. Give it to the user who runs this.") % values
        if free_mb < NEEDED_FREE_MB:
            return False, _("only %(free)s MB are free for %(folder)s. Free some space.") % values
        said = said or _("%(free)s MB are free for %(folder)s.") % values
    return True, said


def backups() -> Said:
    place = backup_keys.folder()
    if place is None:
        return False, _(
            "not sealed: whoever is erased can still be read in them. Set BACKUP_KEY_DIR to a folder."
        )
    there = next(one for one in (place, *place.parents) if one.exists())
    if not os.access(there, os.W_OK):
        values = {"folder": place}
        return False, _("%(folder)s cannot be written to. Give it to the user who runs this.") % values
    values = {"days": settings.BACKUP_RETENTION_DAYS, "folder": place}
    return True, _("sealed; the keys in %(folder)s are destroyed after %(days)s days.") % values


def sender() -> Said:
    """What the DNS says about the domain that mail comes from when a campaign names no other."""
    if settings.SANDBOX or settings.INBOX_URL:
        return True, _("mail stays here, so the DNS is not asked.")
    domain = settings.DEFAULT_SENDER.rpartition("@")[2]
    try:
        findings = check_domain(domain)
    except ValueError:
        return False, _("DEFAULT_SENDER is no address of a domain. Give one that is yours.")
    bad = [f"{one.subject}: {one.text} {one.record}".strip() for one in findings if one.level == "error"]
    if bad:
        return False, f"{domain}: {' '.join(bad)}"
    unsure = next((found.text for found in findings if found.subject == "DNS"), "")
    return True, unsure or _("the DNS knows %(domain)s as one that sends.") % {"domain": domain}
