"""Read the fields of Clouddriver's accounts out of its source, for every provider, into `clouddriver_fields.json`.

    python scripts/read_clouddriver.py CLONE [TAG]

CLONE is a git clone of Clouddriver, TAG the release (default v5.90.0). Only names and types are recorded. A test
compares them with `account_schemas.yaml`, and with the classes themselves for the providers that Maven Central has.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent / "clouddriver_fields.json"
CLASSES = {
    "alicloud": "AliCloudAccountConfig.Account",
    "appengine": "AppengineConfigurationProperties.ManagedAccount",
    "aws": "AccountsConfiguration.Account",
    "azure": "AzureConfigurationProperties.ManagedAccount",
    "cloudfoundry": "CloudFoundryConfigurationProperties.ManagedAccount",
    "cloudrun": "CloudrunConfigurationProperties.ManagedAccount",
    "dcos": "DcosConfigurationProperties.Account",
    "docker-registry": "DockerRegistryConfigurationProperties.ManagedAccount",
    "ecs": "ECSCredentialsConfig.Account",
    "google": "GoogleConfigurationProperties.ManagedAccount",
    "huaweicloud": "HuaweiCloudConfigurationProperties.ManagedAccount",
    "kubernetes": "KubernetesAccountProperties.ManagedAccount",
    "oracle": "OracleConfigurationProperties.ManagedAccount",
    "tencentcloud": "TencentCloudConfigurationProperties.ManagedAccount",
    "titus": "TitusConfiguration.TitusCredentialsConfig.Account",
    "yandex": "YandexConfigurationProperties.Account",
}
"""The class of each provider's accounts. The lambda module has none: its functions belong to accounts of aws."""

SCALARS = {
    "String": "text", "boolean": "flag", "Boolean": "flagOrNull", "int": "int", "Integer": "integerOrNull",
    "long": "long", "Long": "longOrNull", "Permissions.Builder": "permissions",
    "Map<String, Map<String, String>>": "permissions", "Map<String, Set<String>>": "groups",
}  # fmt: skip
FIELD = re.compile(
    r"(?:@[\w.]+(?:\([^)]*\))?\s+)*(?:private\s+)?([A-Za-z][\w.]*(?:<[\w.<>, ]+>)?)\s+([a-z]\w*)\s*(?:=[^;\n]*)?;?\s*$"
)


class Source:
    """The files of one release."""

    def __init__(self, clone: str, tag: str) -> None:
        self._clone, self._tag = clone, tag
        names = self._git("ls-tree", "-r", "--name-only", tag).splitlines()
        self._files = {Path(name).stem: name for name in names if "/src/main/" in name}

    def _git(self, *arguments: str) -> str:
        return subprocess.run(["git", "-C", self._clone, *arguments], check=True, capture_output=True, text=True).stdout

    @cache  # noqa: B019 - one source for each run
    def text(self, name: str) -> str:
        """A file without comments."""
        text = self._git("show", f"{self._tag}:{self._files[name]}")
        return re.sub(r"(?<!:)//[^\n]*", "", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))

    def fields(self, path: str) -> dict[str, Any]:
        """The fields of a class, `Outer.Inner`, those of its superclass first."""
        file = path.split(".")[0]
        head, body = self._body(self.text(file), path.split(".")[-1])
        found: dict[str, Any] = {}
        if parent := re.search(r"extends\s+(\w+)", head):
            found |= self.fields(parent[1])
        for statement in _statements(body):
            field = FIELD.fullmatch(statement)
            if field and not re.search(r"\b(static|final|return|class|new)\b|@Getter", statement.partition("=")[0]):
                setter = re.search(rf"\bset{field[2][0].upper()}{field[2][1:]}\(\s*([\w.<>, ]+?)\s+\w+\)", body)
                found[field[2]] = self._type(" ".join((setter or field)[1].split()), path)
        return found

    def _body(self, text: str, name: str) -> tuple[str, str]:
        start = re.search(rf"class\s+{name}\b([^{{]*)\{{", text)
        assert start, name
        depth, at = 1, start.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        return start[1], text[start.end() : at - 1]

    def _type(self, name: str, inside: str) -> Any:
        if name in SCALARS:
            return SCALARS[name]
        if many := re.fullmatch(r"(?:List|Set)<([\w.]+)>", name):
            return "texts" if many[1] == "String" else [self.fields(self._located(many[1], inside))]
        path = self._located(name, inside)
        text = self.text(path.split(".")[0])
        if values := re.search(rf"enum\s+{path.split('.')[-1]}\s*\{{([^}}]*)\}}", text):
            return "enum " + " ".join(re.findall(r"\w+", values[1]))
        return self.fields(path)

    def _located(self, name: str, inside: str) -> str:
        outer = inside.split(".")[0]
        return f"{outer}.{name}" if re.search(rf"(?:class|enum)\s+{name}\b", self.text(outer)) else name


def _statements(body: str) -> list[str]:
    """The fields of a class, without methods and inner classes: a Java field ends with a semicolon, a Groovy field with
    its line."""
    depth, current, found = 0, "", []
    for line in body.splitlines():
        if depth == 0:
            current = f"{current} {line.strip()}".strip()
            if FIELD.fullmatch(current) and not current.endswith("="):
                found.append(current)
                current = ""
            elif current.endswith((";", "}")):
                current = ""
        depth += line.count("{") - line.count("}")
        if "{" in line:
            current = ""
    return found


if __name__ == "__main__":
    clone, tag = sys.argv[1], (sys.argv[2:] or ["v5.90.0"])[0]
    source = Source(clone, tag)
    read = {provider: source.fields(path) for provider, path in CLASSES.items()}
    TARGET.write_text(json.dumps({"clouddriver": tag.removeprefix("v"), "accounts": read}, indent=1) + "\n")
