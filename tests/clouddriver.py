"""Spring's config server and Clouddriver's account classes as judges: one JVM that serves and binds what it is shown.

`tests/judges/clouddriver` holds its source and its dependencies, which Maven fetches once into `build/`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import needs

SOURCE = needs.ROOT / "tests" / "judges" / "clouddriver"


@dataclass(frozen=True)
class Verdict:
    """`served` is why the config server or the decryption failed; `bound` the accounts of each provider, or why not."""

    served: str
    bound: dict[str, Any]

    def accounts(self, provider: str) -> list[dict[str, Any]]:
        """The accounts as Clouddriver holds them; an assertion error with Spring's words where it could not bind."""
        assert not self.served, self.served
        assert not isinstance(self.bound[provider], str), self.bound[provider]
        return list(self.bound[provider])

    def fails(self, provider: str) -> bool:
        """Whether Clouddriver would load no account of the provider."""
        return bool(self.served) or isinstance(self.bound[provider], str)


class Judge:
    """The running JVM."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._asked = 0

    def of_text(self, text: str | bytes, key: str = "", salt: str = "deadbeef") -> Verdict:
        """What becomes of a clouddriver-local.yml."""
        file = self._folder / "clouddriver-local.yml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self._ask({"folder": str(self._folder), **({"key": key, "salt": salt} if key else {})})

    def of_repository(
        self, url: str, branch: str = "main", path: str = "accounts", key: str = "", salt: str = "deadbeef"
    ) -> Verdict:
        """What becomes of the accounts of a git repository, cloned and served by the config server."""
        self._asked += 1
        # The config server works in a file:// repository itself, so it gets a clone.
        clone = self._folder / f"served-{self._asked}"
        _run("git", "clone", "--quiet", "--branch", branch, url, clone)
        asked = {
            "uri": f"file://{clone}", "basedir": str(clone), "label": branch, "searchPaths": [path],
        }  # fmt: skip
        return self._ask({**asked, **({"key": key, "salt": salt} if key else {})})

    def _ask(self, asked: dict[str, Any]) -> Verdict:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return Verdict(answer.pop("served", ""), answer)


@contextmanager
def judge(folder: Path) -> Iterator[Judge]:
    """A judge for the length of a with block, with a folder of its own."""
    java = needs.program("java", "default-jre-headless")
    classes = built(SOURCE)
    process = subprocess.Popen(
        [java, "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{classes / 'lib'}/*", "Judge"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
    )  # fmt: skip
    try:
        yield Judge(process, folder)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


def built(source: Path) -> Path:
    """A compiled judge with its jars below build/, made once for each version of its source."""
    javac = needs.program("javac", "default-jdk-headless")
    maven = needs.program("mvn", "maven")
    sources = sorted(source.iterdir())
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:12]
    target = needs.ROOT / "build" / f"{source.name}-judge-{digest}"
    target.parent.mkdir(exist_ok=True)
    with open(target.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / "Judge.class").is_file():
            _run(maven, "-q", "-B", "-f", source / "pom.xml", "dependency:copy-dependencies",
                 f"-DoutputDirectory={target / 'lib'}")  # fmt: skip
            (target / "logback.xml").write_text('<configuration><root level="OFF"/></configuration>\n')
            _run(javac, "-proc:none", "-cp", f"{target / 'lib'}/*", "-d", target, *source.glob("*.java"))
    return target


def _run(*command: object) -> None:
    ran = subprocess.run([str(one) for one in command], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
