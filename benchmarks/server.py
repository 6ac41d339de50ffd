"""`make bench-server`: the HTTP endpoint, moto's server and, where it is installed, ministack, in one run.

Each server is a process of its own; a client of asyncio sends signed Encrypt requests over 32 connections that stay
open. The servers take turns. Beside requests per second and how long they take stands the server's processor time for a
request, which other processes on the machine disturb least. `Encrypt beside RSA_4096` is how long the median Encrypt
takes while another client asks for RSA_4096 pairs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

OURS = [sys.executable, "-m", "pytest_kmsmock", "serve", "--port", "{port}"]
SERVERS = {
    "pytest-kmsmock": OURS,
    "with --state": [*OURS, "--state", "{folder}/kms.db"],
    "with --check-signatures": [*OURS, "--check-signatures"],
    "moto": [sys.executable, "-m", "moto.server", "-p", "{port}"],
}
#: It needs a botocore of its own, so the Makefile gives it an environment.
MINISTACK = Path(__file__).parents[1] / ".venv-ministack/bin/ministack"
if MINISTACK.exists():
    SERVERS["ministack"] = [str(MINISTACK)]
CONNECTIONS = 32


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[tuple[int, int]]:
    """Run a server; give its process id and port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        arguments = [part.format(port=port, folder=folder) for part in command]
        environment = {**os.environ, "GATEWAY_PORT": str(port)}
        with subprocess.Popen(
            arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        ) as process:
            for _ in range(600):
                with socket.socket() as attempt:
                    if attempt.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            try:
                yield process.pid, port
            finally:
                process.terminate()


def message(port: int, operation: str, body: dict[str, str]) -> bytes:
    """Return a signed request as it goes on the wire."""
    host, text = f"127.0.0.1:{port}", json.dumps(body)
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"TrentService.{operation}"}
    request = AWSRequest("POST", f"http://{host}/", headers=headers, data=text)
    SigV4Auth(Credentials("AKIAKMSMOCKDEFAULT00", "pytest-kmsmock"), "kms", "us-east-1").add_auth(request)
    lines = {"Host": host, "Content-Length": str(len(text)), **dict(request.headers)}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST / HTTP/1.1\r\n{head}\r\n{text}".encode()


_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> bytes:
    """Send a request and return the body of the answer."""
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    found = _LENGTH.search(head)
    assert found is not None, head
    body = await reader.readexactly(int(found[1]))
    assert b" 200 " in head[:20], body
    return body


async def repeat(port: int, sent: bytes, until: float) -> list[float]:
    """Send a request again and again on one connection; return how long each took, in seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took = []
    while (begun := time.perf_counter()) < until:
        if reader.at_eof():  # some servers keep no connection open: making one is part of their time
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.wait_for(ask(reader, writer, sent), 5)
        except (asyncio.IncompleteReadError, asyncio.TimeoutError, ConnectionError):
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            continue
        took.append(time.perf_counter() - begun)
    writer.close()
    return took


async def measure(pid: int, port: int, seconds: float) -> tuple[float, float, float, float]:
    """Return requests per second, p50 and p99 in ms, and processor time for a request in µs."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    made = json.loads(await ask(reader, writer, message(port, "CreateKey", {})))["KeyMetadata"]["KeyId"]
    writer.close()
    sent = message(port, "Encrypt", {"KeyId": made, "Plaintext": "aGVsbG8="})
    used, begun = processor_time(pid), time.perf_counter()
    parts = await asyncio.gather(*(repeat(port, sent, begun + seconds) for _ in range(CONNECTIONS)))
    lasted, used = time.perf_counter() - begun, processor_time(pid) - used
    took = sorted(each for part in parts for each in part)
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    return len(took) / lasted, p50 * 1e3, p99 * 1e3, used / len(took) * 1e6


async def beside_rsa(port: int, seconds: float) -> float:
    """Return how long the median Encrypt takes while RSA pairs are made, in ms."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    made = json.loads(await ask(reader, writer, message(port, "CreateKey", {})))["KeyMetadata"]["KeyId"]
    pairs = message(port, "GenerateDataKeyPairWithoutPlaintext", {"KeyId": made, "KeyPairSpec": "RSA_4096"})
    until = time.perf_counter() + seconds
    slow = asyncio.create_task(repeat(port, pairs, until))
    took = await repeat(port, message(port, "Encrypt", {"KeyId": made, "Plaintext": "aGVsbG8="}), until)
    await slow
    writer.close()
    return statistics.median(took) * 1e3


def processor_time(pid: int) -> float:
    """Return how long a process has been on a processor, in seconds; Linux only."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="how long each server is asked in a round")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    figures: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in SERVERS}
    for _ in range(given.rounds):
        for name, command in SERVERS.items():
            with running(command) as (pid, port):
                figures[name].append(asyncio.run(measure(pid, port, given.seconds)))
    print(f"| {CONNECTIONS} connections | requests/s | p50 ms | p99 ms | processor µs/request |")
    print("|---|---|---|---|---|")
    for name, rounds in figures.items():
        best = max(rounds)
        print(f"| {name} | {best[0]:.0f} | {best[1]:.1f} | {best[2]:.1f} | {min(each[3] for each in rounds):.0f} |")
    with running(SERVERS["pytest-kmsmock"]) as (_, port):
        print(f"\nEncrypt beside RSA_4096: {asyncio.run(beside_rsa(port, given.seconds)):.2f} ms")


if __name__ == "__main__":
    main()
