"""The load of `ingest.py`: a generator in a process of its own, whose CPU is counted apart."""

import json
import multiprocessing
import resource
import secrets
import socket
import threading
import time

THREADS = 32
_counting = threading.Lock()


def generate(port: int, token: str, *, size: int, seconds: float) -> dict[str, float]:
    """Calls from a process of its own; a first second warms everything and does not count."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=run_generator, args=(queue, port, token, size, seconds))
    process.start()
    found = queue.get(timeout=seconds + 120)
    process.join()
    return found


def run_generator(queue, port: int, token: str, size: int, seconds: float) -> None:
    latencies: list[float] = []
    numbers = [0]  # calls, also those before the start
    start = time.perf_counter() + 1
    threads = [
        threading.Thread(
            target=call, args=(port, token, size, start, start + seconds, latencies, number, numbers)
        )
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    ordered = sorted(latencies)
    at = {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for name, share in
          (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}  # fmt: skip
    queue.put({
        "sent": numbers[0] * size,
        "events_per_second": round(len(latencies) * size / taken),
        **{f"{name}_ms": round(1000 * value, 1) for name, value in at.items()},
        "generator_cpu_share": round((used.ru_utime + used.ru_stime) / (taken + 1), 2),
    })  # fmt: skip


def call(
    port: int, token: str, size: int, start: float, end: float, latencies: list[float], me: int,
    numbers: list[int],
) -> None:  # fmt: skip
    """One kept connection. Only messageIds differ between calls: the generator is to cost little."""
    number, counted = 0, 0
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        mark = "@" * 24
        text = bodies(size, me, mark)
        head = (
            f"POST /v1/{'track' if size == 1 else 'batch'} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\n\r\n"
        )
        while (now := time.perf_counter()) < end or not counted:
            number += 1
            line.sendall((head + text.replace(mark, f"{me:04}{secrets.token_hex(4)}{number:012}")).encode())
            answer = b""
            while not answer.endswith(b"}"):  # the server sends head and body one by one
                piece = line.recv(65536)
                if not piece:
                    raise RuntimeError("the server hung up")
                answer += piece
            if not answer.startswith(b"HTTP/1.1 200") or b'"errors"' in answer:
                raise RuntimeError(answer.decode())
            with _counting:
                numbers[0] += 1
            if now >= start:
                latencies.append(time.perf_counter() - now)
                counted += 1


def bodies(size: int, me: int, mark: str) -> str:
    messages = [
        {
            "type": "track", "userId": f"c{(me * 1000 + n) * 7919 % 10_000}", "event": "Product Viewed",
            "messageId": f"{mark}-{n}", "timestamp": "2026-01-02T03:04:05.000Z",
            "properties": {"product_id": f"p{n}", "price": 4.5}, "context": {"locale": "en-GB"},
        }
        for n in range(size)
    ]  # fmt: skip
    return json.dumps(messages[0] if size == 1 else {"batch": messages})
