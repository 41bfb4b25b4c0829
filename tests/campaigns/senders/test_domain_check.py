"""Advice on a sender's domain, from a DNS server on a socket of the test's own."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import dns.message
import dns.resolver
import dns.rrset
import pytest

from campaigns.senders import accounts
from campaigns.senders.domain_check import check_domain

pytestmark = pytest.mark.django_db
GOOD = {
    ("shop.example.", "TXT"): ['"v=spf1 include:_spf.mail.example -all"', '"other text"'],
    ("_dmarc.shop.example.", "TXT"): ['"v=DMARC1; p=reject; rua=mailto:a@shop.example"'],
    ("shop.example.", "MX"): ["10 mx.shop.example."],
}


@pytest.fixture
def zone() -> Iterator[dict[Any, list[str]]]:
    records: dict[Any, list[str]] = dict(GOOD)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                data, client = server.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(data)
            answer = dns.message.make_response(query)
            name, kind = query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype)
            if found := records.get((name.to_text(), kind)):
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *found))
            elif not any(key[0] == name.to_text() for key in records if key != "resolver"):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            server.sendto(answer.to_wire(), client)

    threading.Thread(target=serve, daemon=True).start()
    records["resolver"] = server.getsockname()[1]
    yield records
    server.close()


def look(zone: dict[Any, Any], domain: str = "shop.example") -> dict[str, tuple[str, str]]:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], zone["resolver"]
    return {one.subject: (one.level, one.text) for one in check_domain(domain, resolver=resolver)}


def test_a_good_domain_is_said_to_be_good(zone: Any) -> None:
    found = look(zone)
    assert {found[name][0] for name in ("SPF", "DMARC", "MX")} == {"ok"} and found["DKIM"][0] == "warning"


@pytest.mark.parametrize(
    ("name", "records", "subject", "level", "words"),
    [
        ("shop.example.", ['"x"'], "SPF", "error", "no SPF"),
        ("shop.example.", ['"v=spf1 +all"'], "SPF", "error", "every server"),
        ("shop.example.", ['"v=spf1 -all"', '"v=spf1 ~all"'], "SPF", "error", "several"),
        ("shop.example.", ['"v=spf1 ' + "include:a.example " * 11 + '-all"'], "SPF", "error", "10 look-ups"),
        ("shop.example.", ['"v=spf1 mx"'], "SPF", "warning", "other servers"),
        ("_dmarc.shop.example.", ['"nothing"'], "DMARC", "error", "no valid"),
        ("_dmarc.shop.example.", ['"v=DMARC1; p=none"'], "DMARC", "warning", "only watches"),
        ("_dmarc.shop.example.", ['"v=DMARC1; sp=none"'], "DMARC", "error", "no policy"),
    ],
)
def test_what_is_wrong_comes_with_advice(
    zone: Any, name: str, records: list[str], subject: str, level: str, words: str
) -> None:
    zone[(name, "TXT")] = records
    assert look(zone)[subject][0] == level and words in look(zone)[subject][1]


@pytest.mark.parametrize("domain", ["mail.shop.co.uk", "a.mail.shop.co.uk", "shop.co.uk"])
def test_the_policy_of_the_organization_holds_for_its_subdomains(zone: Any, domain: str) -> None:
    zone[("_dmarc.shop.co.uk.", "TXT")] = ['"v=DMARC1; p=reject"']
    assert look(zone, domain)["DMARC"][0] == "ok"


def test_our_own_key_is_looked_for(zone: Any) -> None:
    values = {"smtp_url": "smtp://mx:25", "dkim_domain": "shop.example", "dkim_selector": "s1"}
    row = accounts.save_account(None, channel="email", name="Main", values=values, actor="test")
    assert look(zone)["DKIM"][0] == "error"
    record = accounts.facts_of(row)[0][1]
    zone[("s1._domainkey.shop.example.", "TXT")] = [f'"{record[:200]}" "{record[200:]}"']
    assert look(zone)["DKIM"][0] == "ok"


@pytest.mark.parametrize("domain", ["", "shop", "a b.example", "shop.example/x", "-x.example"])
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(ValueError, match="domain"):
        check_domain(domain)
