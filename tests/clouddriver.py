"""Spring's config server and Clouddriver's account classes as judges: one JVM that serves and binds what it is shown.

`tests/judges/clouddriver` holds its source and its dependencies, which Maven fetches once into `build/`.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import needs
from java_judge import JavaJudge, started

FIELDS: dict[str, Any] = json.loads((needs.ROOT / "scripts" / "clouddriver_fields.json").read_text())["accounts"]
"""The fields of each provider's accounts, as `scripts/read_clouddriver.py` read them in Clouddriver's source."""

REAL = ("docker-registry", "cloudfoundry", "aws", "google", "azure", "appengine")
"""Providers whose classes Maven Central has; the others are generated from FIELDS."""

JAVA = {
    "text": "String", "flag": "boolean", "flagOrNull": "Boolean", "int": "int", "integerOrNull": "Integer",
    "long": "long", "longOrNull": "Long", "texts": "java.util.List<String>",
    "groups": "java.util.Map<String, java.util.Set<String>>",
    "permissions": "com.netflix.spinnaker.fiat.model.resources.Permissions.Builder",
}  # fmt: skip


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

    def __init__(self, java: JavaJudge, folder: Path) -> None:
        self._java = java
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
        command = ["git", "clone", "--quiet", "--branch", branch, url, str(clone)]
        subprocess.run(command, check=True, capture_output=True)
        asked = {
            "uri": f"file://{clone}", "basedir": str(clone), "label": branch, "searchPaths": [path],
        }  # fmt: skip
        return self._ask({**asked, **({"key": key, "salt": salt} if key else {})})

    def of_backend(self, settings: Mapping[str, Any], endpoint: str, key: str, token: str = "") -> Verdict:
        """What becomes of the accounts of S3 or Vault, read by the config server with these settings of its own.

        `settings` is what stands below `spring.cloud.config.server`.
        """
        asked = {**settings, "endpoint": endpoint, "token": token, "key": key, "salt": "deadbeef"}
        label = asked.pop("defaultLabel", None)
        return self._ask({**asked, "label": label})

    def file(self, path: str, settings: Mapping[str, Any], endpoint: str) -> str:
        """A `configserver:` file of S3 as Clouddriver gets it; an assertion error with the reason if it gets none."""
        asked = {**settings, "endpoint": endpoint, "file": path}
        answer = self._answer({**asked, "label": asked.pop("defaultLabel", None)})
        assert "text" in answer, answer
        return str(answer["text"])

    def fields(self) -> dict[str, Any]:
        """The fields of each provider's account class with their Java types."""
        return self._answer({"describe": True})

    def read_address(self, text: str) -> dict[str, str | None]:
        """The host that OkHttp, java.net.URL, the AWS SDK and a Docker account ask; None where one refuses the text."""
        return self._answer({"address": text})

    def patterns(self, patterns: Iterable[str]) -> dict[str, str]:
        """Why Java refuses each of these regular expressions; empty for those it accepts."""
        return self._answer({"patterns": list(patterns)})

    def kept(self, names: Iterable[str]) -> dict[str, int]:
        """Which of several accounts Clouddriver's repository of credentials keeps under each name, by position."""
        return dict(self._answer({"names": list(names)}))

    def settings(self, text: str) -> dict[str, Any]:
        """A spinnakerconfig.yml as the config server's classes bind it, which refuse a key that they do not have."""
        return self._answer({"config": text})

    def _ask(self, asked: dict[str, Any]) -> Verdict:
        answer = self._answer(asked)
        return Verdict(answer.pop("served", ""), answer)

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._java.ask_line(json.dumps(asked)))
        return answer


@contextmanager
def judge(folder: Path) -> Iterator[Judge]:
    """A judge for the length of a with block, with a folder of its own."""
    with started("clouddriver", generated={"Recorded.java": recorded()}) as java:
        yield Judge(java, folder)


def recorded() -> str:
    """A Java class for the accounts of each provider that Maven Central does not have."""
    classes = [
        f"public static class {name} {{ {_property('accounts', [fields])} }}"
        for name, fields in FIELDS.items()
        if name not in REAL
    ]
    return f"public class Recorded {{ {' '.join(classes)} }}\n"


def _property(name: str, kind: Any) -> str:
    """A field with its accessors, and the class of its own that it may need."""
    own, inner = name[:1].upper() + name[1:], ""
    if isinstance(kind, (dict, list)):
        fields = kind[0] if isinstance(kind, list) else kind
        inner = f"public static class {own}Item {{ {' '.join(_property(*one) for one in fields.items())} }}"
        java = f"java.util.List<{own}Item>" if isinstance(kind, list) else f"{own}Item"
    else:
        java = JAVA[kind]
    return (
        f"{inner} private {java} {name}; public {java} get{own}() {{ return {name}; }}"
        f" public void set{own}({java} value) {{ {name} = value; }}"
    )
