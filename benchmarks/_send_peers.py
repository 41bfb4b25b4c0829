"""Others on the same server: what sends as many messages by other means."""

import os
import re
import shutil
import smtplib
import socket
import subprocess
import time
from pathlib import Path

PEER_MESSAGES = 2_000


def smtplib_loop(port: int, message: bytes, address: str) -> float:
    start = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as client:
        for _ in range(PEER_MESSAGES):
            client.sendmail("shop@shop.example", [address], message)
    return time.perf_counter() - start


def django_loop(port: int, message: bytes) -> float:
    from django.core.mail import EmailMultiAlternatives
    from django.core.mail.backends.smtp import EmailBackend

    html = re.sub(rb"\s+", b" ", message)[:9000].decode(errors="replace")
    start = time.perf_counter()
    backend = EmailBackend(host="127.0.0.1", port=port)
    mails = []
    for number in range(PEER_MESSAGES // 4):
        mail = EmailMultiAlternatives("For you", "Hello", "shop@shop.example", [f"c{number}@example.com"])
        mail.attach_alternative(html, "text/html")
        mails.append(mail)
    backend.send_messages(mails)
    return time.perf_counter() - start


def post_office(port: int) -> int | None:
    """Messages a second of django-post_office; None where it could not be installed."""
    python = os.environ.get("PEERS_PYTHON")
    if not python:
        return None
    script = Path(__file__).with_name("_post_office.py")
    done = subprocess.run(
        [python, str(script), str(port), str(PEER_MESSAGES)], stdout=subprocess.PIPE, check=True, text=True
    )
    return int(done.stdout.split()[-1])


def smtp_source_to(port: int, size: int, *, messages: int, sessions: int = 10) -> int | None:
    """Messages a second of Postfix's generator to a server of ours; None where it is not installed."""
    source = shutil.which("smtp-source", path=os.environ["PATH"] + ":/usr/sbin")
    if source is None:
        print("smtp-source is not installed (Debian: postfix): the ceiling is not measured")
        return None
    start = time.perf_counter()
    _generate(source, port, size, messages=messages, sessions=sessions)
    return round(messages / (time.perf_counter() - start))


def _generate(source: str, port: int, size: int, *, messages: int, sessions: int = 10) -> None:
    options = ["-d", "-s", str(sessions), "-m", str(messages), "-l", str(size)]
    subprocess.run([source, *options, f"127.0.0.1:{port}"], check=True)


def smtp_source(size: int) -> int | None:
    """Messages a second of Postfix's generator into its sink; None where they are not installed."""
    paths = os.environ["PATH"] + ":/usr/sbin"
    source, sink = shutil.which("smtp-source", path=paths), shutil.which("smtp-sink", path=paths)
    if source is None or sink is None:
        print("smtp-source and smtp-sink are not installed (Debian: postfix): the ceiling is not measured")
        return None
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = ["-u", "nobody"] if os.geteuid() == 0 else []
    server = subprocess.Popen([sink, *options, f"127.0.0.1:{port}", "100"])
    try:
        time.sleep(0.3)
        n = 10_000
        start = time.perf_counter()
        _generate(source, port, size, messages=n)
        return round(n / (time.perf_counter() - start))
    finally:
        server.terminate()
        server.wait()
