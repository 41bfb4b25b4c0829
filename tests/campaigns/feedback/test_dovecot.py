"""The mailbox of reports at a real IMAP server: Debian's dovecot, where it is installed."""

import getpass
import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from campaigns.feedback.mailbox import MailboxError, read_mailbox
from campaigns.models import Bounce
from personalization.customers.models import Suppression
from personalization.events.models import Event
from tests.campaigns.feedback.test_mailbox import LETTER, report  # noqa: F401 - a fixture

DOVECOT = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = [pytest.mark.django_db, pytest.mark.skipif(not DOVECOT, reason="dovecot is not installed")]
CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
first_valid_uid = 0
first_valid_gid = 0
passdb {{
  driver = static
  args = password=canary
}}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={folder}
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""
OURSELVES = """
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
"""


@pytest.fixture
def server() -> Iterator[tuple[int, Path]]:
    """The port of an IMAP server and the maildir that it serves."""
    with tempfile.TemporaryDirectory(prefix="dovecot") as name:
        folder, is_root = Path(name), os.getuid() == 0
        owner = pwd.getpwnam("nobody" if is_root else getpass.getuser())
        for one in ("new", "cur", "tmp"):
            (folder / "mail" / one).mkdir(parents=True)
        if is_root:  # it serves no mail as root
            for path in (folder, *folder.rglob("*")):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        text = CONFIG.format(folder=folder, owner=owner, port=port)
        if not is_root:
            text += OURSELVES.format(user=owner.pw_name, group=owner.pw_gid)
        (folder / "conf").write_text(text)
        process = subprocess.Popen([str(DOVECOT), "-F", "-c", str(folder / "conf")], stderr=subprocess.PIPE)
        try:
            _wait_for(port)
            yield port, folder / "mail"
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("dovecot did not start")


def deliver(mailbox: Path, *mails: bytes) -> None:
    for number, mail in enumerate(mails):
        path = mailbox / "new" / f"{1_700_000_000 + number}.{number}.host"
        path.write_bytes(mail)
        path.chmod(0o666)


def flags_of(port: int) -> list[bytes]:
    with imaplib.IMAP4("127.0.0.1", port) as client:
        client.login("bounces", "canary")
        client.select("INBOX", readonly=True)
        return [one for one in client.fetch("1:*", "(FLAGS)")[1] if one]


def test_a_report_is_taken_once_and_a_letter_stays_unread(server: Any, report: bytes) -> None:  # noqa: F811
    port, mailbox = server
    deliver(mailbox, LETTER, report, report)
    url = f"imap://bounces:canary@127.0.0.1:{port}/INBOX"
    assert read_mailbox(url, timeout=20) == {"taken": 2, "left": 1, "failed": 0}
    assert Bounce.objects.count() == Suppression.objects.count() == 1
    assert Event.objects.filter(name="Message Bounced").count() == 1
    (left,) = flags_of(port)
    assert rb"\Seen" not in left and b"$BespokeRead" in left
    assert read_mailbox(url, timeout=20) == {"taken": 0, "left": 0, "failed": 0}


def test_a_folder_that_is_not_there_is_said(server: Any) -> None:
    with pytest.raises(MailboxError, match="no such folder"):
        read_mailbox(f"imap://bounces:canary@127.0.0.1:{server[0]}/Reports", timeout=20)
