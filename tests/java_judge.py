"""Java programs as judges: compiled once from `tests/judges/`, one JVM each, asked and answered over its pipes.

Maven fetches their dependencies once into `build/`. `tests/judge.py` is the judge of SnakeYAML, which Debian packages.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import struct
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import needs

JUDGES = needs.ROOT / "tests" / "judges"
_NONE: Mapping[str, str] = MappingProxyType({})


class JavaJudge:
    """A running JVM that answers each question with one line."""

    def __init__(self, asked: IO[bytes], answers: IO[bytes]) -> None:
        self._asked = asked
        self._answers = answers

    def ask_text(self, text: bytes) -> Any:
        """Send a text of any number of lines, after its length; the answer is JSON."""
        return json.loads(self._ask(struct.pack(">I", len(text)) + text))

    def ask_line(self, line: str) -> str:
        """Send a line; the answer is its line, without the newline."""
        return self._ask(f"{line}\n".encode()).decode().rstrip("\n")

    def _ask(self, question: bytes) -> bytes:
        self._asked.write(question)
        self._asked.flush()
        return self._answers.readline()


def java_command(name: str, main: str = "Judge", generated: Mapping[str, str] = _NONE) -> list[str]:
    """The command that starts a judge, or a skip without Java or Maven. `generated` are further sources by name."""
    java = needs.program("java", "default-jre-headless")
    classes = _built(JUDGES / name, generated)
    return [java, "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{classes / 'lib'}/*", main]


@contextmanager
def started(name: str, main: str = "Judge", generated: Mapping[str, str] = _NONE) -> Iterator[JavaJudge]:
    """A judge for the length of a with block. What it logs is lost; what it refuses is in its answers."""
    command = java_command(name, main, generated)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield JavaJudge(process.stdin, process.stdout)
        finally:
            process.stdin.close()
            process.wait(20)


def _built(source: Path, generated: Mapping[str, str]) -> Path:
    """A compiled judge with its jars below build/, made once for each version of its source."""
    javac = needs.program("javac", "default-jdk-headless")
    maven = needs.program("mvn", "maven")
    content = b"".join(file.read_bytes() for file in sorted(source.iterdir())) + "".join(generated.values()).encode()
    target = needs.ROOT / "build" / f"{source.name}-judge-{hashlib.sha256(content).hexdigest()[:12]}"
    target.parent.mkdir(exist_ok=True)
    with open(target.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / "Judge.class").is_file():
            _run(maven, "-q", "-B", "-f", source / "pom.xml", "dependency:copy-dependencies",
                 f"-DoutputDirectory={target / 'lib'}")  # fmt: skip
            (target / "logback.xml").write_text('<configuration><root level="OFF"/></configuration>\n')
            for name, text in generated.items():
                (target / name).write_text(text)
            files = [*source.glob("*.java"), *target.glob("*.java")]
            _run(javac, "-proc:none", "-cp", f"{target / 'lib'}/*", "-d", target, *files)
    return target


def _run(*command: object) -> None:
    ran = subprocess.run([str(one) for one in command], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
