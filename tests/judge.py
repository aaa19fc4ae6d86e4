"""Asks the real SnakeYAML what it reads: a Java class beside the tests, compiled once and kept running.

`judge.read(text)` is the answer for one document, `judge.read_all(text)` for several, as plain data that says each
value's Java type. `judge.typed(value)` is the same form for data of halgit's own, so that the two can be compared.
Skips, naming the Debian packages, where there is no Java or no SnakeYAML.
"""

from __future__ import annotations

import atexit
import base64
import functools
import json
import re
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Any, cast

import needs

from halgit.pipeline import PlainScalar
from halgit.yaml import to_java_string

SOURCE = Path(__file__).resolve().parent / "yaml" / "Judge.java"
JAR = "/usr/share/java/snakeyaml.jar"
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*")


class RefusedError(Exception):
    """SnakeYAML does not read the text; the message begins with the Java exception."""


def read(text: bytes) -> Any:
    """What SnakeYAML reads in a text of one document; raises Refused where it refuses it."""
    return _ask(text, many=False)[0]


def read_all(text: bytes) -> list[Any]:
    """What SnakeYAML reads in a text of any number of documents; raises Refused where it refuses it."""
    return _ask(text, many=True)


def typed(value: Any) -> Any:
    """Data of halgit in the form of the judge's answers."""
    if isinstance(value, PlainScalar):
        return ["date", to_java_string(value)]
    if isinstance(value, str):
        return ["str", str(value)]
    if isinstance(value, bytes):
        return ["bytes", base64.b64encode(value).decode()]
    if isinstance(value, dict):
        return ["map", [part for key, item in value.items() for part in (typed_key(key), typed(item))]]
    if isinstance(value, (list, tuple)):
        return ["list", [typed(item) for item in value]]
    if value is None or isinstance(value, bool):
        return ["null", None] if value is None else ["bool", value]
    return ["float" if isinstance(value, float) else "int", to_java_string(value)]


def typed_key(key: str) -> Any:
    """A mapping key in the form of the judge's answers, with `by_text`: the type is lost, the text is not."""
    return ["key", str(key)]


def by_text(answer: Any) -> Any:
    """An answer with its mapping keys reduced to their texts, as halgit's data has them."""
    kind, content = answer
    if kind == "list":
        return [kind, [by_text(item) for item in content]]
    if kind == "map":
        return [kind, [["key", _key(part)] if at % 2 == 0 else by_text(part) for at, part in enumerate(content)]]
    return answer


def _key(answer: Any) -> str:
    kind, content = answer
    return json.dumps(content) if kind in {"null", "bool"} else str(content)


def _ask(text: bytes, *, many: bool) -> list[Any]:
    asked, answers = _process()
    asked.write(struct.pack(">BI", many, len(text)) + text)
    asked.flush()
    answer = json.loads(answers.readline())
    if "refused" in answer:
        raise RefusedError(f"{answer['refused']}: {answer['message']}")
    return cast("list[Any]", answer["documents"])


@functools.cache
def _process() -> tuple[IO[bytes], IO[bytes]]:
    """The running judge; it ends with the tests, at the end of its input."""
    java = needs.program("java", "default-jre-headless")
    javac = needs.program("javac", "default-jdk-headless")
    jar = needs.file(JAR, "libyaml-snake-java")
    folder = tempfile.TemporaryDirectory(prefix="judge-")
    subprocess.run([javac, "-cp", str(jar), "-d", folder.name, str(SOURCE)], check=True)
    process = subprocess.Popen(
        [java, "-Xss64m", "-XX:TieredStopAtLevel=1", "-cp", f"{jar}:{folder.name}", "Judge"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def end() -> None:
        process.communicate()
        folder.cleanup()

    atexit.register(end)
    return process.stdin, process.stdout
