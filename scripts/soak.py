"""The soak behind `make soak`: kills, readers, threads and fuzzed repositories, as one table.

    python scripts/soak.py [--kills N] [--publishes N] [--threads N] [--repositories N] [--write]

kills         a publishing process is killed at a random moment; the target must hold the old tree or the new one, and
              the next run must succeed and leave nothing unfinished.
publishes     trees are published while readers open the folder and read all of it; no reader may see a mix.
threads       fresh processes read Kubernetes Secrets from 8 threads at a switch interval of 1 microsecond; some of
              them also files of a commit, a secret of Vault or an object of S3: all that the threads of a run share.
repositories  hypothesis makes repositories of odd files; `halgit validate` and another command, run in this process,
              must end with a documented exit code and show no planted secret.
--write puts the table into docs/security.md. Exits 1 if
anything failed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from servers.http import Asked, Said

    from halgit.publish import Manifest

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

CANARY = "canary-Xq7vB2-soak"
_FILES = 30


def content(version: int) -> dict[str, bytes]:
    """The files of one version of the tree; every file names its version."""
    return {f"default/profiles/p{number}.yml": b"%d" % version * 200 for number in range(_FILES)} | {
        "config": b"%d" % version
    }


def _manifest() -> Manifest:
    """A manifest by which one file may hold a secret: it is known by size and time, the others by digest."""
    from halgit.publish import Manifest

    return Manifest(secret_files=frozenset({"config"}))


def publish_versions(target: str, start: str, count: str) -> None:
    """Publish `count` versions; run in a process of its own that can be killed."""
    from halgit.publish import publish

    for version in range(int(start), int(start) + int(count)):
        publish(content(version), _manifest(), Path(target))


def versions_in(folder: Path) -> set[bytes]:
    """The versions that the files of a tree name."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        found = set()
        for path in content(0):
            with os.fdopen(os.open(path, os.O_RDONLY, dir_fd=descriptor), "rb") as file:
                text = file.read()
            found.add(text if path == "config" else text[: len(text) // 200])
        return found
    finally:
        os.close(descriptor)


def soak_kills(count: int) -> list[str]:
    """Kill publishing processes at random moments, two targets for each processor: half of the time they wait."""
    from concurrent.futures import ThreadPoolExecutor

    workers = 2 * (os.cpu_count() or 1)
    shares = [count // workers + (number < count % workers) for number in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        return [failure for failures in pool.map(_kill_publishers, shares) for failure in failures]


def _kill_publishers(count: int) -> list[str]:
    from halgit.publish import publish

    failures = []
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, ".hal")
        publish(content(0), _manifest(), target)
        for version in range(1, count * 51, 51):
            code = f"import soak; soak.publish_versions({str(target)!r}, '{version}', '50')"
            process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT / "scripts")
            time.sleep(random.uniform(0.2, 0.9))
            process.send_signal(signal.SIGKILL)
            process.wait()
            found = versions_in(target)
            if len(found) != 1:
                failures.append(f"a mix of versions {sorted(found)}")
            publish(content(version + 50), _manifest(), target)
            if versions_in(target) != {b"%d" % (version + 50)}:
                failures.append("the next run did not publish")
    return failures


def soak_publishes(count: int) -> list[str]:
    """Publish while readers open the folder and read all of it."""
    from halgit.publish import publish

    failures: list[str] = []
    done = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, ".hal")
        publish(content(0), _manifest(), target)

        def read() -> None:
            while not done.is_set():
                try:
                    found = versions_in(target)
                except FileNotFoundError:  # two publishes passed meanwhile: open the folder again
                    continue
                except OSError as error:
                    failures.append(f"a reader failed: {error}")
                    continue
                if len(found) != 1:
                    failures.append(f"a reader saw {sorted(found)}")

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        for version in range(1, count + 1):
            publish(content(version), _manifest(), target)
            time.sleep(0.002)
        done.set()
        for reader in readers:
            reader.join()
    return failures


_THREADS = """
import json, sys, threading
sys.setswitchinterval(1e-6)
place = json.loads(sys.argv[1])
from halgit import sources
from halgit.operator_settings import Access, PerHost, SourceSpec
from halgit.references import find_references
from halgit.secrets.engines import engines
access = Access(
    environment={"KUBECONFIG": place["kubeconfig"], "PATH": place["path"], "VAULT_TOKEN": "a-token-of-the-soak",
                 "AWS_ACCESS_KEY_ID": "test-key", "AWS_SECRET_ACCESS_KEY": "test-secret", "AWS_REGION": "us-east-1"},
    vault_address=PerHost(place["vault"]), s3_endpoint=PerHost(place["s3"]), timeout=60.0,
)
known = engines(access)
table = {"k8s": known("k8s")}
read = []
if place["also"] == "git":
    snapshot = sources.open_source(SourceSpec(place["git"]), access)
    files = [f"file{number}" for number in range(8)]
    read = [lambda path=path: snapshot.read([path])[path] == path.encode() * 50 for path in files]
elif place["also"] != "k8s":
    kind = place["also"]
    table[kind] = known(kind)
    address = {"vault": "vault://kv/gate#pw", "s3": "s3://soak/gate#pw"}[kind]
    reference = find_references("${{ secret('" + address + "') }}")[0].reference
    expected = {"vault": lambda data: data.keys == {"pw": "value"}, "s3": lambda data: data.whole == b'{"pw": "value"}'}
    read = [lambda: expected[kind](table[kind].read(reference))] * 8
own = find_references("encrypted:gate:pw")[0].reference
gate = threading.Barrier(8)
def run(number):
    gate.wait()
    assert table["k8s"].read(own).keys == {"pw": b"value"}
    assert all(one() for one in read[number:] + read[:number])
threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
[one.start() for one in threads]
[one.join() for one in threads]
access.cache.close()
print("done")
"""


def soak_threads(count: int) -> list[str]:
    """Read from 8 threads in fresh processes, so that each makes the first decode of every type."""
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import ExitStack

    from servers.aws import aws
    from servers.http import server
    from servers.kubernetes_api import kubernetes
    from servers.repositories import Repository

    with ExitStack() as closing:
        folder = closing.enter_context(tempfile.TemporaryDirectory())
        cluster = closing.enter_context(kubernetes(Path(folder)))
        cluster.secrets["spinnaker/gate"] = {"pw": b"value"}
        cloud = closing.enter_context(aws())
        cloud.bucket("soak", {"gate": b'{"pw": "value"}'})
        repository = Repository(Path(folder, "repository"))
        repository.commit({f"file{number}": f"file{number}" * 50 for number in range(8)})
        place = {
            "kubeconfig": cluster.kubeconfig(), "vault": closing.enter_context(server(_vault)), "s3": cloud.url,
            "git": repository.url, "path": os.environ["PATH"],
        }  # fmt: skip
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            jobs = [json.dumps({**place, "also": _ALSO[number % len(_ALSO)]}) for number in range(count)]
            return [failure for failure in pool.map(_run_threads, jobs) if failure]


_ALSO = ("k8s", "git", "k8s", "vault", "k8s", "s3")


def _run_threads(place: str) -> str:
    try:
        ran = subprocess.run(
            [sys.executable, "-c", _THREADS, place], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
        )
    except subprocess.TimeoutExpired:
        return f"a run hangs: {json.loads(place)['also']}"
    if ran.returncode or "Error" in ran.stderr or ran.stdout != "done\n":
        return f"exit {ran.returncode}: {ran.stderr.strip()[-200:]}"
    return ""


def _vault(asked: Asked) -> Said:
    """What a Vault with one secret of KV 2 answers."""
    from servers.http import Said

    if "internal/ui/mounts" in asked.path:
        return Said(body=b'{"data": {"path": "kv/", "options": {"version": "2"}}}')
    if asked.path.startswith("/v1/kv/data/gate"):
        return Said(body=b'{"data": {"data": {"pw": "value"}, "metadata": {"version": 1}}}')
    return Said(body=b'{"data": {"ttl": 0, "renewable": false}}')


def run_quietly(arguments: list[str]) -> tuple[int, str]:
    """Run a command in this process; its exit code and all it printed."""
    from halgit.cli import output as streams
    from halgit.cli.app import _call, _finish

    out, err = io.StringIO(), io.StringIO()
    output = streams.Output(out, err)
    with contextlib.redirect_stderr(err):
        code = _finish(output, _call(arguments, output))
    return code, out.getvalue() + err.getvalue()


def soak_repositories(count: int) -> list[str]:
    """Validate repositories that hypothesis makes."""
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    scalars = st.sampled_from(
        ["x", "", "~", "1.10", "0x1F", "1:30", "!!binary aGk=", "${{ params.p }}", "${{ secret('k8s://a#b') }}",
         "encrypted:s:k", "encryptedFile:noop!v:x", "*a", "&a b", "\u202e", "\ud7ff", "'", '"', "{", "[", "- a", "? b",
         "2001-01-01", "NaN", "<<", "%", "@", f"password: {CANARY}", "null", "-----BEGIN PRIVATE KEY-----",
         f"https://u:{CANARY}@h/x", f"'password: {CANARY}'", "9" * 4301, "#{x}", "{a: b, a: c}", "../../base"]
    )  # fmt: skip
    keys = st.sampled_from(
        ["deploymentConfigurations", "name", "version", "providers", "kubernetes", "accounts", "password", "$patch",
         "$list", "bases", "params", "patches", "rules", "dialect", "a.b", "a", "default", "env", "artifactId",
         "security", "spinnaker", "extensibility", "kubeconfigFile", "cacheThreads", "sops", "remove"]
    )  # fmt: skip
    values = st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)),
        max_leaves=12,
    )
    paths = st.sampled_from(
        ["config", "halgit.yaml", "default/profiles/gate-local.yml", "default/profiles/settings.js", "bom",
         "default/service-settings/gate.yml", "accounts/clouddriver-local.yml", "overlays/a/halgit.yaml",
         "default/profiles/gate-local.properties", "spinnakerservice.yml", "base/config",
         "overlays/a/config", "halyard.yaml", "default/profiles/orca.yml", ".boms/bom/1.yml"]
    )  # fmt: skip
    texts = st.one_of(
        values.map(_written), st.text(max_size=60), st.binary(max_size=40).map(lambda raw: raw.decode("latin-1"))
    )
    failures: list[str] = []

    @settings(
        max_examples=max(count, 1), deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.dictionaries(paths, texts, min_size=1, max_size=4))
    def check(files: dict[str, str]) -> None:
        with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
            for path, text in files.items():
                file = Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8", errors="surrogatepass")
            more = ["--overlay", "a"] if any(path.startswith("overlays/") for path in files) else []
            for command in (["validate", "--repo", folder, *more], _other_command(folder, more, len(str(files)))):
                code, text = run_quietly(command)
                if code not in (0, 1, 2, 3, 4, 5) or "Traceback" in text:
                    failures.append(f"exit {code} of {command[0]} for {files}: {text[-300:]}")
                if CANARY in text:
                    failures.append(f"a secret in the output of {command[0]} for {files}")

    if count:
        check()
    return failures


def _other_command(folder: str, more: list[str], number: int) -> list[str]:
    """One of the commands that read a repository; which one depends on the number."""
    source = ["--repo", folder, *more]
    commands = [
        ["render", *source, "--secrets", "mask", "--no-validate", "--out", f"{folder}/out"],
        ["explain", *source, "config"],
        ["explain", *source, "default/profiles/gate-local.yml"],
        ["diff", *source, "--base-repo", str(ROOT / "sample-repo" / "base")],
        ["overlays", "--repo", folder, "--format", "html"],
        ["secrets", "list", *source],
        ["lock", *source, "--retries", "0"],
        ["export", "--to", "kleat", *source, "--no-validate", f"{folder}/out"],
        ["export", "--to", "spinnakerservice", *source, "--no-validate", f"{folder}/out"],
        ["import", folder, f"{folder}/out"],
    ]
    return commands[number % len(commands)]


def _written(value: object, depth: int = 0) -> str:
    """A value as YAML without any quoting, so that it may be invalid."""
    pad = "  " * depth
    if isinstance(value, dict):
        return "".join(f"\n{pad}{key}: {_written(child, depth + 1)}" for key, child in value.items()) or "{}"
    if isinstance(value, list):
        return "".join(f"\n{pad}- {_written(child, depth + 1)}" for child in value) or "[]"
    return str(value)


SOAKS: dict[str, tuple[Callable[[int], list[str]], int, str]] = {
    "kills": (soak_kills, 500, "publishing processes killed at a random moment"),
    "publishes": (soak_publishes, 500, "publishes while two readers read the whole tree"),
    "threads": (soak_threads, 500, "processes with 8 threads that share connections, switch interval 1 microsecond"),
    "repositories": (soak_repositories, 10_000, "fuzzed repositories"),
}


def main() -> int:
    """Run the soaks and print the table; 1 if anything failed."""
    parser = argparse.ArgumentParser(description="Soak halgit and print a table.")
    for name, (_, count, _) in SOAKS.items():
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--write", action="store_true", help="Put the table into docs/security.md.")
    counts = vars(parser.parse_args())
    lines = ["| soak | runs | seconds | failures |", "|---|---|---|---|"]
    print(*lines, sep="\n", flush=True)
    every: list[str] = []
    for name, (soak, _, what) in SOAKS.items():
        begin = time.monotonic()
        failures = soak(counts[name])
        lines.append(f"| {what} | {counts[name]} | {time.monotonic() - begin:.0f} | {len(failures)} |")
        print(lines[-1], flush=True)
        every += failures
    for failure in every[:20]:
        print(failure, file=sys.stderr)
    if counts["write"]:
        page = ROOT / "docs" / "security.md"
        text = page.read_text(encoding="utf-8")
        page.write_text(_TABLE.sub("\n".join(lines) + "\n", text), encoding="utf-8")
    return 1 if every else 0


_TABLE = re.compile(r"\| soak \| runs \|.*\n(?:\|.*\n)+")


if __name__ == "__main__":
    sys.exit(main())
