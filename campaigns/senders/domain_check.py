"""What the DNS says about a domain that sends, with advice: SPF (RFC 7208), DKIM (6376), DMARC (7489), MX."""

import re
from dataclasses import dataclass

import dns.exception
import dns.resolver
from django.utils.translation import gettext as _

from campaigns.models import SenderAccount
from campaigns.transport import dkim

SECONDS = 4.0
DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Finding:
    """`level`: ok, warning or error. `record`: what stands there, or what should."""

    subject: str
    level: str
    text: str
    record: str = ""


class NoAnswer(Exception):
    """The DNS cannot be asked now."""


def check_domain(domain: str, *, resolver: dns.resolver.Resolver | None = None) -> list[Finding]:
    """Raises ValueError for what is no domain; a DNS that does not answer is a finding."""
    domain = domain.strip().rstrip(".").lower()
    if not DOMAIN.fullmatch(domain):
        raise ValueError("not a domain")
    asked = resolver or dns.resolver.Resolver()
    asked.lifetime = SECONDS
    try:
        return [*_spf(domain, asked), *_dkim(domain, asked), *_dmarc(domain, asked), *_mx(domain, asked)]
    except NoAnswer:
        return [Finding("DNS", "warning", _("The DNS does not answer; try again later."))]


def _texts(name: str, resolver: dns.resolver.Resolver) -> list[str]:
    try:
        answer = resolver.resolve(name, "TXT")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise NoAnswer from error
    return [b"".join(row.strings).decode(errors="replace") for row in answer]


def _spf(domain: str, resolver: dns.resolver.Resolver) -> list[Finding]:
    records = [text for text in _texts(domain, resolver) if re.match(r"v=spf1(\s|$)", text, re.IGNORECASE)]
    if not records:
        text = _(
            "There is no SPF record: nobody can tell which servers may send for the domain. Publish one."
        )
        return [Finding("SPF", "error", text, "v=spf1 include:… ~all")]
    if len(records) > 1:
        text = _("There are several SPF records; receivers then take none. Join them into one.")
        return [Finding("SPF", "error", text, " | ".join(records))]
    words = records[0].lower().split()
    if "+all" in words or "all" in words:
        text = _(
            "“all” lets every server of the world send for the domain. End the record with ~all or -all."
        )
        return [Finding("SPF", "error", text, records[0])]
    lookups = sum(bool(re.match(r"[+~?-]?(include:|a\b|mx\b|ptr|exists:)|redirect=", w)) for w in words)
    if lookups > 10:
        text = _("The record needs more than 10 look-ups; receivers stop there and the check fails.")
        return [Finding("SPF", "error", text, records[0])]
    if not any(word in ("~all", "-all") or word.startswith("redirect=") for word in words):
        text = _("The record does not say what holds for other servers. End it with ~all or -all.")
        return [Finding("SPF", "warning", text, records[0])]
    return [Finding("SPF", "ok", _("Servers that may send are named."), records[0])]


def _dkim(domain: str, resolver: dns.resolver.Resolver) -> list[Finding]:
    found = []
    for account in SenderAccount.objects.filter(channel="email", is_active=True):
        values = account.values
        if not values.get("dkim_key") or values["dkim_domain"] != domain:
            continue
        signer = dkim.signer(values["dkim_domain"], values["dkim_selector"], values["dkim_key"])
        name = f"{signer.selector}._domainkey.{domain}"
        published = [text.replace(" ", "") for text in _texts(name, resolver)]
        if not published:
            text = _("The key of “%(account)s” is not published at %(name)s.")
            level = "error"
        elif signer.record.replace(" ", "") in published:
            text, level = _("The key of “%(account)s” is published at %(name)s."), "ok"
        else:
            text, level = _("At %(name)s stands another key than that of “%(account)s”."), "error"
        record = "" if level == "ok" else signer.record
        found.append(Finding("DKIM", level, text % {"account": account.name, "name": name}, record))
    if not found:
        text = _(
            "We do not sign for this domain; your relay or provider must. Or set a DKIM domain on a sender."
        )
        found.append(Finding("DKIM", "warning", text))
    return found


def _dmarc(domain: str, resolver: dns.resolver.Resolver) -> list[Finding]:
    labels = domain.split(".")
    records: list[str] = []
    # Up the tree, as DMARCbis walks it: nobody knows where an organization's own domain begins (co.uk).
    for name in (".".join(labels[place:]) for place in range(len(labels) - 1)):
        records = [t for t in _texts(f"_dmarc.{name}", resolver) if t.replace(" ", "").startswith("v=DMARC1")]
        if records:
            break
    if len(records) != 1:
        text = _("There is no valid DMARC record. Gmail and Yahoo want one. Begin with this.")
        return [Finding("DMARC", "error", text, f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}")]
    policy = re.search(r"(?:^|;)\s*p\s*=\s*(none|quarantine|reject)\s*(?:;|$)", records[0], re.IGNORECASE)
    if policy is None:
        return [Finding("DMARC", "error", _("The record names no policy (p=)."), records[0])]
    if policy[1].lower() == "none":
        text = _(
            "The policy only watches (p=none). When the reports are clean, go on to quarantine and reject."
        )
        return [Finding("DMARC", "warning", text, records[0])]
    return [Finding("DMARC", "ok", _("Mail that is not ours is refused."), records[0])]


def _mx(domain: str, resolver: dns.resolver.Resolver) -> list[Finding]:
    try:
        hosts = [str(row.exchange) for row in resolver.resolve(domain, "MX")]
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        text = _("The domain takes no mail: answers cannot arrive, and some refuse such senders.")
        return [Finding("MX", "warning", text)]
    except dns.exception.DNSException as error:
        raise NoAnswer from error
    return [Finding("MX", "ok", _("The domain takes mail."), ", ".join(hosts))]
