"""What a refusal means for the address. Pure: text in, a class out.

hard: the mailbox does not exist or is closed. soft: later it may work (full, unreachable, slow). block: the
message or its sender is refused, which says nothing about the address. What is not plainly one of them is
soft: nobody is suppressed for a sentence that we do not understand.
Source of the numbers: RFC 3463 and the IANA registry of enhanced status codes.
"""

import re
from dataclasses import dataclass

HARD, SOFT, BLOCK = "hard", "soft", "block"
STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
REPLY = re.compile(r"(?<![\d.#-])([45])([0-5])\d(?=[\s\-:,]|$)")

_FULL = re.compile(
    r"quota|mailbox\s+(is\s+)?full|mail\s?box\s+.{0,40}exceed|mailfolder is full|storage (space|limit"
    r"|allocation)|inbox is full"
    r"|insufficient (system|disk)|not enough (disk|storage|space)|over the maximum|user is full|disk full",
    re.IGNORECASE,
)
_RATE = re.compile(
    r"rate (that|limit)|too (many|much) (mail|messages|connections|sessions|recipients)|throttl"
    r"|deferred|gr[ae]y.?list"
    r"|try (again )?later|temporar|resources|please retry|timed?[ -]?out|connection (refused|reset|lost"
    r"|dropped)"
    r"|(host|server|network) (is )?(unreachable|down|not responding)|still being|will (be )?retr|delayed",
    re.IGNORECASE,
)  # fmt: skip
_SIZE = re.compile(
    r"too (large|big|long)|size (limit|exceed)|exceeds? .{0,30}size|maximum.{0,20}size", re.IGNORECASE
)
_LISTED = re.compile(
    r"spamhaus|barracuda|spamcop|senderscore|\b(dns|r)bl\b|black.?list|block.?list|\breputation"
    r"|\bspam\b|unsolicited"
    r"|\b(spf|dkim|dmarc)\b|bulk mail|virus|malware|phish|\bcontent\b.{0,30}(reject|filter|block|denied"
    r"|restrict)"
    r"|blocked (using|by|for)|message (was )?(blocked|filtered)|refused by policy|policy (reason"
    r"|violation|reject)"
    r"|against (our )?policy|poor|suspicious|reverse (dns|lookup)|\bptr\b|authentication (required"
    r"|is required|failed)"
    r"|not (allowed|authori[sz]ed|permitted) to (send|relay)|unable to relay"
    r"|relay(ing)? (access )?(denied|not)"
    r"|cannot relay|not permitted to relay|we do not relay|sender .{0,40}(reject|denied|refus|verif)"
    r"|delivery not authori[sz]ed",
    re.IGNORECASE,
)  # fmt: skip
_GONE = re.compile(
    r"(user|recipient|mailbox|account|address|addressee|login|destination)s?\b.{0,60}?"
    r"\b(unknown|not (be )?found|not known|doesn.?t exist|do(es)? not exist|not exist|non.?existent"
    r"|no longer|invalid|not valid"
    r"|disabled|deactivated|closed|suspended|inactive|expired|terminated|cancell?ed|not available"
    r"|unavailable|not listed"
    r"|not (a )?local|not recogni[sz]ed|undeliverable|not our customer|discontinued)"
    r"|(unknown|invalid|no such|bad|nonexistent|non-existent|undeliverable|unrout[e]?able|unresolvable"
    r"|illegal|incorrect|inactive|unrecogni[sz]ed|disabled)\s+"
    r"(local\s*)?-?\s*(user|recipient|mailbox|account|address|addressee|alias|person|destination"
    r"|mail drop|name|part|domain user)"
    r"|no (mailbox|user|account|such) .{0,40}(here|by that name|with that name|name)"
    r"|there is no (such )?(user|account)"
    r"|(isn.?t|not) (a )?(valid )?(our|known|listed|registered|in our|member|customer|subscriber)"
    r"|name is not (recogni[sz]ed|found)"
    r"|not (listed )?in .{0,30}(directory|name (&|and) address book)|no one by that name"
    r"|no longer (valid|with|works|employed|at this|accept|on server|active|available)"
    r"|has (left|moved)|account (has been |is )?(disabled|closed|locked)|user .{0,60} not found"
    r"|user doesn.?t have|doesn.?t have a .{0,40} account"
    r"|do(es)?n.?t have an account|(no|not a) (valid|current) (recipient|mailbox|user)"
    r"|wasn.?t (able to )?.{0,20}found|couldn.?t be found"
    r"|recipient.{0,20}rejected: access denied|can'?t create output|no matches to nameserver query"
    r"|用户不存在|无此用户|邮箱不存在|不存在",
    re.IGNORECASE,
)  # fmt: skip
_DOMAIN = re.compile(
    r"host (or domain name )?(not found|unknown)|unknown (host|domain)|no (such|mx|a) .{0,30}(host"
    r"|domain|record)|name service error"
    r"|domain .{0,60}(not found|does not exist|has no|invalid|doesn.?t exist)|no route to host"
    r"|dns (error|failure)"
    r"|couldn.?t find any host|host lookup",
    re.IGNORECASE,
)  # fmt: skip

# Enhanced codes whose number alone says it; others are judged by the text first.
_HARD_CODES = {(1, 1), (1, 3), (1, 6), (1, 10), (2, 1)}
_FULL_CODES = {(2, 2), (3, 1)}
_BLOCK_CODES = {(1, 7), (1, 8), (2, 3), (3, 4), (2, 4)}


@dataclass(frozen=True)
class Failure:
    """One address of a report. `kind`: hard, soft or block; `is_final`: nobody tries any more."""

    address: str
    kind: str
    status: str = ""
    detail: str = ""
    is_final: bool = True


def classify(text: str, *, status: str = "") -> str:
    """`status` is the enhanced code of a report (RFC 3464), when it gives one."""
    code = STATUS.fullmatch(status.strip()) or STATUS.search(text)
    by_text = _by_text(text)
    if code is None:
        return by_text or _by_reply(text)
    family, subject, detail = (int(part) for part in code.groups())
    if family == 4:
        # A report says at the end what it gave up on: a host that never answered says nothing of a mailbox.
        return BLOCK if by_text == BLOCK else SOFT
    where = (subject, detail)
    if where in _FULL_CODES or by_text == SOFT:
        return SOFT
    if where in _BLOCK_CODES or by_text == BLOCK:
        return BLOCK
    if by_text == HARD or where in _HARD_CODES:
        return HARD
    return BLOCK if subject in (6, 7) else SOFT


def _by_text(text: str) -> str:
    """The class the words plainly say; empty when they do not."""
    if _FULL.search(text):
        return SOFT
    if _SIZE.search(text) or _LISTED.search(text):
        # "550 no such user; see our spam policy": the mailbox is what was asked about.
        return HARD if _GONE.search(text) and not _LISTED.search(text) and not _SIZE.search(text) else BLOCK
    if _DOMAIN.search(text):
        return SOFT
    if _GONE.search(text):
        return HARD
    return SOFT if _RATE.search(text) else ""


def _by_reply(text: str) -> str:
    reply = REPLY.search(text)
    if reply is None or reply[1] == "4":
        return SOFT
    return HARD if reply[0].startswith(("550", "551", "553")) and len(text) < 40 else SOFT
