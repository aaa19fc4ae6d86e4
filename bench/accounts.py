"""Measures the writer of dynamic accounts: many clients, many processes, killed processes, memory.

    python bench/accounts.py [--quick | --write]

Prints the table of docs/accounts.md, and writes it there with --write; `make soak` does. Everything runs on loopback: a
git server over http, S3 by MinIO (moto where MinIO is not installed), Vault by OpenBao. Exits 1 if a change was lost or
not acknowledged, or if a target was missed: 32 clients 10 times as fast as one push per change, 60 seconds for the
slowest client, 300 MiB.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

# ruff: noqa: E402
import needs
from servers.accounts_server import KEY, WRITER, AccountServer, account_server
from servers.aws import KEYS, Cloud, aws
from servers.git_http import GitHttpServer
from servers.minio import minio
from servers.openbao import ROOT_TOKEN, Bao, openbao
from servers.repositories import Repository

from halgit import yaml as hyaml
from halgit.accounts.accounts_file import AccountsFile
from halgit.accounts.cipher import Cipher
from halgit.redaction import Secret

POD = {"serviceAccount": True}
FASTER, LONGEST_SECONDS, MOST_MEMORY = 10, 60, 300
PROCESS = """
import json, sys
from halgit.accounts.changes import Change
from halgit.accounts.requests import Request
from halgit.accounts.stores import open_store
from halgit.accounts.writer import Writer
from halgit.operator_settings import Access, PerHost, SourceSpec
url, ref, options, own, count = json.loads(sys.argv[1])
for key in {"s3_endpoint", "vault_address"} & set(options):
    options[key] = PerHost(options[key])
writer = Writer(open_store(SourceSpec(url, ref), Access(timeout=60, **options), ""))
for number in range(count):
    name = f"p{own}-{number}"
    writer.write(Request(Change("add", "kubernetes", name, {"serviceAccount": True})))
    print(name, flush=True)
writer.close()
"""
Place = tuple[str, str, dict[str, Any], Callable[[], set[str]]]
missed: list[str] = []
lines: list[str] = []
PAGE = ROOT / "docs" / "accounts.md"
TABLE = re.compile(r"\| run \| result \|.*\n(?:\|.*\n)+")


def row(*cells: object) -> None:
    lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    print(lines[-1], flush=True)


def demand(fulfilled: bool, what: str) -> None:
    if not fulfilled:
        missed.append(what)


def names(text: bytes) -> set[str]:
    """The accounts of a file; an AccountError if it cannot be read."""
    return {entry.name for entry in AccountsFile(text, "clouddriver-local.yml").entries}


# --- clients of one server ---


@contextmanager
def served(folder: Path) -> Iterator[AccountServer]:
    """The server of accounts over a git repository that is reached by http."""
    (folder / "repositories").mkdir()
    repository = Repository(folder / "repositories" / "bench.git")
    repository.commit({"README": "hello\n"})
    repository.git("checkout", "--quiet", "--detach")
    repository.git("config", "http.receivepack", "true")
    (folder / "git-token").write_text("t")
    with (
        GitHttpServer(folder / "repositories", token="t") as git,
        account_server(
            folder, HALGIT_REPO=f"{git.url}/bench.git", HALGIT_GIT_TOKEN_FILE=str(folder / "git-token")
        ) as server,
    ):
        yield server


def clients(server: AccountServer, count: int, each: int, prefix: str) -> tuple[float, list[float], int]:
    """Changes for each second, the seconds of each change in order, and how many were not acknowledged."""
    times: list[float] = []
    failed: list[int] = []
    address = server.url.removeprefix("http://")
    headers = {"Authorization": f"Bearer {WRITER}", "Content-Type": "application/json"}

    def work(client: int) -> None:
        connection = http.client.HTTPConnection(address, timeout=120)
        for number in range(each):
            started = time.monotonic()
            body = json.dumps({"name": f"{prefix}-{client}-{number}", "fields": POD})
            connection.request("POST", "/v1/accounts", body, headers)
            answer = connection.getresponse()
            answer.read()
            times.append(time.monotonic() - started)
            if answer.status != 201:
                failed.append(answer.status)
        connection.close()

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
        alone, times, failed = clients(server, 1, 10 if quick else 30, "one")
        demand(not failed, "changes of one client")
        row("git over http, one push per change (1 client)", f"{alone:.1f} changes/s",
            f"{statistics.median(times):.2f} s median", f"{failed} failed")  # fmt: skip
        fast, times, failed = clients(server, 32, 4 if quick else 20, "many")
        demand(not failed and fast >= FASTER * alone, f"32 clients, {fast / alone:.1f} times as fast")
        row("the same, 32 clients", f"{fast:.0f} changes/s: {fast / alone:.0f} times as fast",
            f"{times[-1]:.1f} s longest", f"{failed} failed")  # fmt: skip
        _, times, failed = clients(server, 200, 1 if quick else 5, "crowd")
        demand(not failed and times[-1] < LONGEST_SECONDS, "200 clients")
        row("the same, 200 clients", f"{len(times) - failed} of {len(times)} acknowledged",
            f"{statistics.median(times):.1f} s median, {times[-1]:.1f} s longest", f"{failed} failed")  # fmt: skip


def large_file(quick: bool) -> None:
    """32 clients on a file of 600 accounts with kubeconfigs of 6 kB."""
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as server:
        repository = Repository(Path(name) / "repositories" / "bench.git")
        cipher = Cipher(Secret(KEY, "key"))
        count = 100 if quick else 600
        accounts = [
            {"name": f"large-{number}", "kubeconfigContents": cipher.encrypt(kubeconfig(number))}
            for number in range(count)
        ]
        data = {"kubernetes": {"accounts": accounts}, "halgit": {"keep": cipher.encrypt("x")}}
        repository.git("checkout", "--quiet", "main")
        repository.commit({"accounts/clouddriver-local.yml": hyaml.dump(data)})
        repository.git("checkout", "--quiet", "--detach")
        rate, times, failed = clients(server, 32, 1 if quick else 5, "more")
        started = time.monotonic()
        server.call("GET", "/v1/accounts")
        listed, most = time.monotonic() - started, memory(server)
        demand(not failed and times[-1] < LONGEST_SECONDS and most < MOST_MEMORY, f"{count} accounts, {most:.0f} MiB")
        row(f"{count} accounts with kubeconfigs of 6 kB, 32 clients", f"{rate:.1f} changes/s, {failed} failed",
            f"{times[-1]:.1f} s longest; list in {listed:.1f} s", f"at most {most:.0f} MiB")  # fmt: skip


def kubeconfig(number: int) -> str:
    """A kubeconfig of 6 kB, as long as one with a certificate and a key."""
    filler = base64.b64encode(random.Random(number).randbytes(4100)).decode()
    cluster = {"server": "https://k.example.com", "certificate-authority-data": filler}
    return hyaml.dump({
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": f"token-{number}"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}], "current-context": "c",
    }).decode()  # fmt: skip


# --- processes on one store ---


def start(place: Place, own: str, count: int) -> subprocess.Popen[str]:
    argument = json.dumps([*place[:3], own, count])
    command = [sys.executable, "-c", PROCESS, argument]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def report(kind: str, fault: str) -> None:
    """Show why a process ended."""
    if fault.strip():
        print(f"{kind}: {fault.strip().splitlines()[-1]}", file=sys.stderr, flush=True)


def many_processes(kind: str, place: Place, count: int) -> None:
    """8 processes that change one store at once."""
    started = time.monotonic()
    running = [start(place, str(number), count) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(lambda process: process.communicate(), running))
    acknowledged = [line for out, _ in ended for line in out.split()]
    for _, fault in ended:
        report(kind, fault)
    lost = set(acknowledged) - place[3]()
    demand(len(acknowledged) == 8 * count and not lost, f"8 processes, {kind}")
    row(f"8 processes of {count} changes, {kind}", f"{len(acknowledged)} of {8 * count} acknowledged",
        f"{time.monotonic() - started:.0f} s", f"{len(lost)} lost")  # fmt: skip


def killed_processes(kind: str, place: Place, kills: int, changes: int) -> None:
    """Processes that are killed at random moments and started again, until both numbers are reached."""
    started, acknowledged, killed = time.monotonic(), list[str](), 0
    stop = threading.Event()

    def keep_writing(slot: int) -> None:
        for life in range(10_000):
            if stop.is_set():
                return
            process = start(place, f"{kind}{slot}x{life}", 1000)
            running[slot] = process
            assert process.stdout is not None
            acknowledged.extend(line.strip() for line in process.stdout if line.endswith("\n"))
            assert process.stderr is not None
            fault = process.stderr.read()
            if process.wait() > 0:
                report(kind, fault)
                ended.append(process.returncode)

    running: dict[int, subprocess.Popen[str]] = {}
    ended: list[int] = []
    threads = [threading.Thread(target=keep_writing, args=(slot,)) for slot in range(4)]
    for thread in threads:
        thread.start()
    while (killed < kills or len(acknowledged) < changes) and not ended:
        time.sleep(random.uniform(0.2, 0.8))
        victim = running.get(random.randrange(4))
        if victim is not None and victim.poll() is None and (killed < kills):
            victim.kill()
            killed += 1
    stop.set()
    for process in running.values():
        process.kill()
    for thread in threads:
        thread.join()
    lost = set(acknowledged) - place[3]()
    demand(not lost and not ended, f"kills, {kind}")
    row(f"4 processes, {kind}, {killed} kills", f"{len(acknowledged)} acknowledged",
        f"{time.monotonic() - started:.0f} s", f"{len(lost)} lost")  # fmt: skip


def stores(quick: bool) -> None:
    count, kills, changes = (5, 12, 40) if quick else (25, 196, 600)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        repository = Repository(folder / "r.git")
        repository.commit({"README": "hello\n"})
        repository.git("checkout", "--quiet", "--detach")
        git: Place = (
            repository.url, "main", {}, lambda: names(repository.git("show", "main:clouddriver-local.yml").encode()),
        )  # fmt: skip
        cloud, program = _s3(stack, folder)
        cloud.bucket("bench", {})
        s3: Place = ("s3://bench", "", {"s3_endpoint": cloud.url, "environment": KEYS}, lambda: _s3_names(cloud))
        bao = stack.enter_context(openbao(folder, strings=1_000_000))
        bao.mount("kv", 2)
        vault, other = (_vault(bao, path) for path in ("bench", "kills"))
        for kind, place in (("git", git), (f"S3 ({program})", s3), ("Vault (OpenBao)", vault)):
            many_processes(kind, place, count)
        for kind, place in (("git", git), ("S3", s3), ("Vault", other)):
            part = 1 if kind == "git" else 4
            killed_processes(kind, place, kills // part, changes // part)


def _vault(bao: Bao, path: str) -> Place:
    def read() -> set[str]:
        return names(hyaml.dump(bao.call("GET", f"kv/data/{path}/clouddriver,local")["data"]["data"]))

    return f"vault://kv/{path}", "", {"vault_address": bao.url, "environment": {"VAULT_TOKEN": ROOT_TOKEN}}, read


def _s3(stack: ExitStack, folder: Path) -> tuple[Cloud, str]:
    if (needs.GO_TOOLS / "minio").is_file():
        return stack.enter_context(minio(folder)), "MinIO"
    return stack.enter_context(aws()), "moto"


def _s3_names(cloud: Cloud) -> set[str]:
    body: Any = cloud.client("s3").get_object(Bucket="bench", Key="clouddriver-local.yml")["Body"]
    return names(body.read())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="a short run")
    length.add_argument("--write", action="store_true", help="put the table into docs/accounts.md")
    options = parser.parse_args()
    quick = options.quick
    row("run", "result", "time", "")
    row("---", "---", "---", "---")
    many_clients(quick)
    large_file(quick)
    stores(quick)
    if options.write:
        PAGE.write_text(TABLE.sub("\n".join(lines) + "\n", PAGE.read_text("utf-8")), "utf-8")
    sys.exit(f"missed: {'; '.join(missed)}" if missed else 0)
