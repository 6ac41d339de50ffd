"""`make bench-server`: the HTTP endpoint, moto's server and, where it is installed, ministack, in one run.

Each server is a process of its own; a client of asyncio sends signed Encrypt requests over 32 connections, which stay
open unless the server closes them. A failed request ends the benchmark; after each round it checks that every answer
has a ciphertext of its own, and decrypts a sample. The servers take turns. Other processes on the machine disturb the
server's processor time for a request least. `Encrypt beside RSA_4096` is the latency of Encrypt while another client
asks for RSA_4096 pairs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
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
from typing import Any

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
PLAINTEXT = "aGVsbG8="


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
_CLOSES = re.compile(rb"connection: *close", re.IGNORECASE)


class Client:
    """A client with one connection, which it makes again when the server says that it closes it.

    Args:
        port: the port of the server.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, sent: bytes) -> bytes:
        """Send a request and return the body of the answer, whose status has to be 200."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(sent)
        head = await reader.readuntil(b"\r\n\r\n")
        found = _LENGTH.search(head)
        assert found is not None, head
        body = await reader.readexactly(int(found[1]))
        assert head.startswith(b"HTTP/1.1 200 "), body
        if _CLOSES.search(head):  # werkzeug, which moto's server uses, waits forever if another request comes now
            self.close()
        return body

    async def call(self, operation: str, parameters: dict[str, str]) -> dict[str, Any]:
        """Send a signed request and return the answer."""
        answer: dict[str, Any] = json.loads(await self.ask(message(self._port, operation, parameters)))
        return answer

    async def repeat(self, sent: bytes, until: float) -> tuple[list[float], list[bytes]]:
        """Send a request again and again; return how long each took, in seconds, and the bodies of the answers."""
        took, bodies = [], []
        while (begun := time.perf_counter()) < until:
            bodies.append(await self.ask(sent))
            took.append(time.perf_counter() - begun)
        self.close()
        return took, bodies

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def check(client: Client, bodies: list[bytes]) -> None:
    """Check the answers to Encrypt: each has a ciphertext of its own, and a sample of them decrypts."""
    blobs = {json.loads(body)["CiphertextBlob"] for body in bodies}
    assert len(blobs) == len(bodies), "answers are the same"
    for blob in random.sample(sorted(blobs), min(100, len(blobs))):
        assert (await client.call("Decrypt", {"CiphertextBlob": blob}))["Plaintext"] == PLAINTEXT


async def measure(pid: int, port: int, seconds: float) -> tuple[float, float, float, float]:
    """Return requests per second, p50 and p99 in ms, and processor time for a request in µs."""
    client = Client(port)
    key_id = (await client.call("CreateKey", {}))["KeyMetadata"]["KeyId"]
    sent = message(port, "Encrypt", {"KeyId": key_id, "Plaintext": PLAINTEXT})
    used, begun = processor_time(pid), time.perf_counter()
    work = asyncio.gather(*(Client(port).repeat(sent, begun + seconds) for _ in range(CONNECTIONS)))
    parts = await asyncio.wait_for(work, seconds + 30)
    lasted, used = time.perf_counter() - begun, processor_time(pid) - used
    await check(client, [body for _, bodies in parts for body in bodies])
    client.close()
    took = [each for times, _ in parts for each in times]
    return len(took) / lasted, *percentiles(took), used / len(took) * 1e6


async def beside_rsa(port: int, seconds: float) -> tuple[float, float]:
    """Return p50 and p99 of Encrypt while RSA pairs are made, in ms."""
    client = Client(port)
    key_id = (await client.call("CreateKey", {}))["KeyMetadata"]["KeyId"]
    pairs = message(port, "GenerateDataKeyPairWithoutPlaintext", {"KeyId": key_id, "KeyPairSpec": "RSA_4096"})
    until = time.perf_counter() + seconds
    slow = asyncio.create_task(Client(port).repeat(pairs, until))
    took, bodies = await client.repeat(message(port, "Encrypt", {"KeyId": key_id, "Plaintext": PLAINTEXT}), until)
    await check(client, bodies)
    client.close()
    await slow
    return percentiles(took)


def percentiles(took: list[float]) -> tuple[float, float]:
    """Return p50 and p99 in ms."""
    cuts = statistics.quantiles(took, n=100)
    return cuts[49] * 1e3, cuts[98] * 1e3


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
        p50, p99 = asyncio.run(beside_rsa(port, given.seconds))
        print(f"\nEncrypt beside RSA_4096: p50 {p50:.2f} ms, p99 {p99:.1f} ms")


if __name__ == "__main__":
    main()
