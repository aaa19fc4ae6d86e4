"""Measures the writer of dynamic accounts: many clients, many processes, killed processes, memory.

    python bench/accounts.py [--quick]

Prints the table of docs/accounts.md. Everything runs on loopback: a git server over http, S3 by moto, Vault by OpenBao.
"""

from __future__ import annotations

import argparse
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

# ruff: noqa: E402
from servers.accounts_server import KEY, WRITER, AccountServer, account_server
from servers.aws import aws
from servers.git_http import GitHttpServer
from servers.openbao import ROOT_TOKEN, openbao
from servers.repositories import Repository

from halgit import yaml as hyaml
from halgit.accounts.cipher import Cipher
from halgit.redaction import Secret

POD = {"serviceAccount": True}
PROCESS = """
import sys
from halgit.accounts.changes import Change
from halgit.accounts.stores import open_store
from halgit.accounts.requests import Request
from halgit.accounts.writer import Writer
from halgit.operator_settings import Access, PerHost, SourceSpec
kind, url, own, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
options = {}
if kind == "s3":
    options = {"s3_endpoint": PerHost(sys.argv[5]), "s3_region": PerHost("us-east-1"),
               "environment": {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}}
if kind == "vault":
    options = {"vault_address": PerHost(sys.argv[5]), "environment": {"VAULT_TOKEN": sys.argv[6]}}
store = open_store(SourceSpec(url, "main" if kind == "git" else ""), Access(timeout=60, **options), "")
writer = Writer(store)
for number in range(count):
    name = f"p{own}-{number}"
    writer.write(Request(Change("add", "kubernetes", name, {"serviceAccount": True})))
    print(name, flush=True)
writer.close()
"""


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


@contextmanager
def served(folder: Path) -> Iterator[AccountServer]:
    """The server of accounts over a git repository that is reached by http."""
    (folder / "repositories").mkdir()
    repository = Repository(folder / "repositories" / "bench.git")
    repository.commit({"README": "hello\n"})
    repository.git("checkout", "--quiet", "--detach")
    repository.git("config", "http.receivepack", "true")
    with (
        GitHttpServer(folder / "repositories", token="t") as git,
        account_server(
            folder, HALGIT_REPO=f"{git.url}/bench.git", HALGIT_GIT_TOKEN_FILE=str(_file(folder / "git-token", "t"))
        ) as server,
    ):
        yield server


def _file(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def clients(server: AccountServer, count: int, each: int, prefix: str) -> tuple[float, list[float], int]:
    """Changes for each second, the seconds of each change, and how many were not acknowledged."""
    times: list[float] = []
    failed: list[int] = []

    def work(client: int) -> None:
        for number in range(each):
            started = time.monotonic()
            body = {"name": f"{prefix}-{client}-{number}", "fields": POD}
            answer = server.call("POST", "/v1/accounts", body, WRITER)
            times.append(time.monotonic() - started)
            if answer.status != 201:
                failed.append(answer.status)

    started = time.monotonic()
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, range(count)))
    return count * each / (time.monotonic() - started), sorted(times), len(failed)


def memory(server: AccountServer) -> float:
    """The largest memory that the server has had, in MiB."""
    text = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(one for one in text.splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def many_clients(quick: bool) -> None:
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as server:
        alone, times, _ = clients(server, 1, 10 if quick else 20, "one")
        row("1 client, git over http", f"{alone:.1f} changes/s", f"{statistics.median(times):.2f} s median", "")
        fast, times, failed = clients(server, 32, 4 if quick else 10, "many")
        row("32 clients", f"{fast:.1f} changes/s, {fast / alone:.0f} times as fast", f"{times[-1]:.1f} s longest",
            f"{failed} failed")  # fmt: skip
        _, times, failed = clients(server, 200, 1 if quick else 3, "crowd")
        row("200 clients", f"{len(times) - failed} of {len(times)} acknowledged", f"{times[-1]:.1f} s longest",
            f"{failed} failed")  # fmt: skip


def large_file(quick: bool) -> None:
    """32 clients on a file of 600 accounts with kubeconfigs of 6 kB."""
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as server:
        repository = Repository(Path(name) / "repositories" / "bench.git")
        cipher = Cipher(Secret(KEY, "key"))
        count = 100 if quick else 600
        accounts = [
            {"name": f"large-{number}", "kubeconfigContents": cipher.encrypt("x" * 6000)} for number in range(count)
        ]
        data = {"kubernetes": {"accounts": accounts}, "halgit": {"keep": cipher.encrypt("x")}}
        repository.git("checkout", "--quiet", "main")
        repository.commit({"accounts/clouddriver-local.yml": hyaml.dump(data)})
        repository.git("checkout", "--quiet", "--detach")
        _, times, failed = clients(server, 32, 1 if quick else 2, "more")
        started = time.monotonic()
        server.call("GET", "/v1/accounts")
        listed = time.monotonic() - started
        row(f"{count} accounts of 6 kB, 32 clients", f"{len(times) - failed} of {len(times)} acknowledged",
            f"{times[-1]:.0f} s longest; list in {listed:.1f} s", f"{memory(server):.0f} MiB")  # fmt: skip


def many_processes(kind: str, where: list[str], count: int, read: Callable[[], str], *, kill: bool = False) -> None:
    """Processes that change one store at once; with `kill` each is killed at a random moment."""
    started = time.monotonic()
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, kind, where[0], f"{number}{'k' * kill}", str(count), *where[1:]],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for number in range(8)
    ]  # fmt: skip
    if kill:
        for process in running:
            time.sleep(random.uniform(1.0, 4.0))
            process.send_signal(signal.SIGKILL)
    acknowledged = [line for process in running for line in process.communicate()[0].split()]
    text = read()
    lost = [name for name in acknowledged if f"{name}'" not in text and f"{name}\n" not in text]
    what = f"8 processes, {kind}, each killed" if kill else f"8 processes of {count} changes, {kind}"
    total = len(acknowledged) if kill else 8 * count
    row(
        what, f"{len(acknowledged)} of {total} acknowledged", f"{time.monotonic() - started:.0f} s", f"{len(lost)} lost"
    )


def stores(quick: bool) -> None:
    count = 5 if quick else 25
    with tempfile.TemporaryDirectory() as name:
        repository = Repository(Path(name) / "r.git")
        repository.commit({"README": "hello\n"})
        repository.git("checkout", "--quiet", "--detach")

        def from_git() -> str:
            return repository.git("show", "main:clouddriver-local.yml") + "\n"

        many_processes("git", [repository.url], count, from_git)
        many_processes("git", [repository.url], 1000, from_git, kill=True)
    with aws() as cloud:
        cloud.bucket("bench", {})

        def from_s3() -> str:
            body: Any = cloud.client("s3").get_object(Bucket="bench", Key="clouddriver-local.yml")["Body"]
            return str(body.read().decode())

        many_processes("s3", ["s3://bench", cloud.url], count, from_s3)
    with tempfile.TemporaryDirectory() as name, openbao(Path(name)) as bao:
        bao.mount("kv", 2)

        def from_vault() -> str:
            found = bao.call("GET", "kv/data/bench/clouddriver,local")["data"]["data"]["kubernetes"]["accounts"]
            return "".join(f"{one['name']}\n" for one in found)

        many_processes("vault", ["vault://kv/bench", bao.url, ROOT_TOKEN], count, from_vault)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run")
    quick = parser.parse_args().quick
    row("run", "result", "time", "")
    row("---", "---", "---", "---")
    many_clients(quick)
    large_file(quick)
    stores(quick)
