"""The soak behind `make soak`: kills, readers, threads and fuzzed repositories, as one table.

    python scripts/soak.py [--kills N] [--publishes N] [--threads N] [--repositories N]

kills         a publishing process is killed at a random moment; the target must hold the old tree or the new one, and
              the next run must succeed and leave nothing unfinished.
publishes     trees are published while readers open the folder and read all of it; no reader may see a mix.
threads       fresh processes read Kubernetes Secrets from 8 threads at a switch interval of 1 microsecond.
repositories  hypothesis makes repositories of odd files; `halgit validate` in this process must end with a documented
              exit code and show no planted secret.
Exits 1 if anything failed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

CANARY = "canary-Xq7vB2-soak"
_FILES = 30


def content(version: int) -> dict[str, bytes]:
    """The files of one version of the tree; every file names its version."""
    return {f"default/profiles/p{number}.yml": b"%d" % version * 200 for number in range(_FILES)} | {
        "config": b"%d" % version
    }


def publish_versions(target: str, start: str, count: str) -> None:
    """Publish `count` versions; run in a process of its own that can be killed."""
    from halgit.publish import Manifest, publish

    for version in range(int(start), int(start) + int(count)):
        publish(content(version), Manifest(), Path(target))


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
    """Kill a publishing process at random moments."""
    from halgit.publish import Manifest, publish

    failures = []
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, ".hal")
        publish(content(0), Manifest(), target)
        version = 1
        while version <= count * 50 and count:
            code = f"import soak; soak.publish_versions({str(target)!r}, '{version}', '50')"
            process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT / "scripts")
            time.sleep(random.uniform(0.2, 0.9))
            process.send_signal(signal.SIGKILL)
            process.wait()
            found = versions_in(target)
            if len(found) != 1:
                failures.append(f"a mix of versions {sorted(found)}")
            publish(content(version + 50), Manifest(), target)
            if versions_in(target) != {b"%d" % (version + 50)}:
                failures.append("the next run did not publish")
            version += 51
            count -= 1
    return failures


def soak_publishes(count: int) -> list[str]:
    """Publish while readers open the folder and read all of it."""
    from halgit.publish import Manifest, publish

    failures: list[str] = []
    done = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, ".hal")
        publish(content(0), Manifest(), target)

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
            publish(content(version), Manifest(), target)
            time.sleep(0.002)
        done.set()
        for reader in readers:
            reader.join()
    return failures


_THREADS = """
import sys, threading
sys.setswitchinterval(1e-6)
from halgit.operator_settings import Access
from halgit.references import find_references
from halgit.remotes.kubernetes import KubernetesEngine
engine = KubernetesEngine(Access(environment={"KUBECONFIG": sys.argv[1]}))
gate = threading.Barrier(8)
def read():
    gate.wait()
    reference = find_references("encrypted:gate:pw")[0].reference
    assert engine.read(reference).keys == {"pw": b"value"}
threads = [threading.Thread(target=read) for _ in range(8)]
[one.start() for one in threads]
[one.join() for one in threads]
"""


def soak_threads(count: int) -> list[str]:
    """Read from 8 threads in fresh processes, so that each makes the first decode of every type."""
    from servers.kubernetes_api import kubernetes

    failures = []
    with tempfile.TemporaryDirectory() as folder, kubernetes(Path(folder)) as cluster:
        cluster.secrets["spinnaker/gate"] = {"pw": b"value"}
        for _ in range(count):
            ran = subprocess.run(
                [sys.executable, "-c", _THREADS, cluster.kubeconfig()],
                cwd=ROOT, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if ran.returncode or "Error" in ran.stderr:
                failures.append(f"exit {ran.returncode}: {ran.stderr.strip()[-200:]}")
    return failures


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
         "2001-01-01", "NaN", "<<", "%", "@", f"password: {CANARY}", "null", "-----BEGIN PRIVATE KEY-----"]
    )  # fmt: skip
    keys = st.sampled_from(
        ["deploymentConfigurations", "name", "version", "providers", "kubernetes", "accounts", "password", "$patch",
         "$list", "bases", "params", "patches", "rules", "dialect", "a.b", "a", "default", "env", "artifactId"]
    )  # fmt: skip
    values = st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)),
        max_leaves=12,
    )
    paths = st.sampled_from(
        ["config", "halgit.yaml", "default/profiles/gate-local.yml", "default/profiles/settings.js", "bom",
         "default/service-settings/gate.yml", "accounts/clouddriver-local.yml", "overlays/a/halgit.yaml",
         "overlays/a/config", "halyard.yaml", "default/profiles/orca.yml", ".boms/bom/1.yml"]
    )  # fmt: skip
    texts = st.one_of(
        values.map(_written), st.text(max_size=60), st.binary(max_size=40).map(lambda raw: raw.decode("latin-1"))
    )
    failures: list[str] = []

    @settings(
        max_examples=count, deadline=None, database=None, derandomize=True,
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
            code, text = run_quietly(["validate", "--repo", folder, *more])
        if code not in (0, 1, 2, 3) or "Traceback" in text:
            failures.append(f"exit {code} for {files}: {text[-300:]}")
        if CANARY in text:
            failures.append(f"a secret in the output for {files}")

    if count:
        check()
    return failures


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
    "threads": (soak_threads, 500, "processes with 8 threads, switch interval 1 microsecond"),
    "repositories": (soak_repositories, 10_000, "fuzzed repositories"),
}


def main() -> int:
    """Run the soaks and print the table; 1 if anything failed."""
    parser = argparse.ArgumentParser(description="Soak halgit and print a table.")
    for name, (_, count, _) in SOAKS.items():
        parser.add_argument(f"--{name}", type=int, default=count)
    counts = vars(parser.parse_args())
    print("| soak | runs | seconds | failures |\n|---|---|---|---|", flush=True)
    every: list[str] = []
    for name, (soak, _, what) in SOAKS.items():
        begin = time.monotonic()
        failures = soak(counts[name])
        print(f"| {what} | {counts[name]} | {time.monotonic() - begin:.0f} | {len(failures)} |", flush=True)
        every += failures
    for failure in every[:20]:
        print(failure, file=sys.stderr)
    return 1 if every else 0


if __name__ == "__main__":
    sys.exit(main())
