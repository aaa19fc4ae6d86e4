"""Schemas for layers in an editor: judged by the real yaml-language-server, and by a validator of JSON schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import needs
import pytest
from merge.test_merge_docs import EXAMPLES
from program import SAMPLE, halgit
from servers.yaml_language_server import LanguageServer, language_server

from halgit import yaml as hyaml
from halgit.halyard.layer_schemas import list_layer_schema_names, make_layer_schema

NAMES = list_layer_schema_names()
MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


def schema_name(path: str) -> str:
    """The schema for a file of a layer, as README associates them."""
    name = Path(path).name
    if name in ("config", "halgit.yaml"):
        return "layer-halconfig" if name == "config" else "halgit"
    if "/service-settings/" in path:
        return "layer-service-settings"
    if name == "spinnakerconfig.yml":
        return "layer-spinnakerconfig"
    if name.startswith("clouddriver"):
        return "layer-clouddriver-accounts"
    return "layer-halyard" if name.startswith("halyard") else "layer-profile"


def sample_files() -> dict[str, str]:
    files = [*SAMPLE.rglob("*.y*ml"), *SAMPLE.rglob("config")]
    found = {file.relative_to(SAMPLE).as_posix(): file for file in files if file.is_file()}
    return {
        path: file.read_text()
        for path, file in sorted(found.items())
        if not path.startswith(("accounts/", "base/files"))
    }


def doc_files() -> dict[str, str]:
    """The layers of every example of the page."""
    return {
        f"{folder}/{path}": text
        for example in EXAMPLES
        for folder, files in example.layers.items()
        for path, text in files.items()
        if path.endswith((".yml", ".yaml", "config"))
        for folder in (f"line-{example.line}/{folder}",)
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with all schemas, as `halgit schema` prints them."""
    folder = tmp_path_factory.mktemp("workspace")
    for name in (*NAMES, "halgit"):
        ran = halgit("schema", name)
        assert ran.code == 0, ran.err
        (folder / f"{name}.schema.json").write_text(ran.out)
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[LanguageServer]:
    settings = {"yaml": {"validate": True, "schemaStore": {"enable": False}}}
    with language_server(folder, settings) as running:
        yield running


def test_there_is_a_schema_for_each_kind_of_layer_file() -> None:
    assert NAMES == (
        "layer-clouddriver-accounts", "layer-halconfig", "layer-halyard", "layer-profile", "layer-service-settings",
        "layer-spinnakerconfig",
    )  # fmt: skip
    for name in NAMES:
        jsonschema.Draft202012Validator.check_schema(make_layer_schema(name))


@pytest.mark.parametrize("files", [sample_files(), doc_files()], ids=["sample", "docs/merge.md"])
def test_a_language_server_accepts_every_layer_file(
    server: LanguageServer, folder: Path, files: dict[str, str]
) -> None:
    assert len(files) > 15
    wrong = {}
    for path, text in files.items():
        schema = (folder / f"{schema_name(path)}.schema.json").as_uri()
        body = MODELINE.sub("", text)
        found = server.diagnose(path, f"# yaml-language-server: $schema={schema}\n{body}")
        wrong |= {path: found} if found else {}
    assert wrong == {}


@pytest.mark.parametrize("files", [sample_files(), doc_files()], ids=["sample", "docs/merge.md"])
def test_a_validator_accepts_every_layer_file(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        schema = json.loads((folder / f"{schema_name(path)}.schema.json").read_text())
        for document in hyaml.read(text.encode(), path, many=True).documents:
            jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(document, default=str)))


WRONG = [
    ("config", "deploymentConfigurations:\n- name: default\n  verson: 1\n", "3: Property verson is not allowed."),
    ("config", "deploymentConfigurations:\n- name: default\n  $patch: remove\n", "3: Value is not accepted."),
    (
        "config",
        "deploymentConfigurations:\n- providers:\n    kubernetes:\n      accounts:\n      - $list: add\n",
        "5: Value is not accepted.",
    ),
    (
        "config",
        "deploymentConfigurations:\n- providers: {kubernetes: {accounts: [{cacheThreads: four}]}}\n",
        "2: String does not match the pattern",
    ),
    ("default/service-settings/gate.yml", "enabled: perhaps\n", "1: String does not match the pattern"),
    ("default/profiles/gate-local.yml", "a: {b: {$patch: remove}}\n", "1: Value is not accepted."),
    ("halgit.yaml", "basis: [../x]\n", "1: Property basis is not allowed."),
]
RIGHT = [
    "deploymentConfigurations:\n- name: default\n  version: ${{ params.version }}\n",
    "deploymentConfigurations:\n- name: default\n  providers:\n    kubernetes:\n      accounts:\n"
    "      - $list: prepend\n      - {name: a, cacheThreads: '${{ params.threads }}', kinds: ['${{ params.kind }}'],\n"
    "         omitNamespaces: '${{ params.namespaces }}', providerVersion: '${{ params.v }}'}\n"
    "      - {name: b, $patch: delete}\n",
    "deploymentConfigurations:\n- name: default\n  notifications: {slack: null}\n  features: {$patch: delete}\n"
    "  security: {$patch: replace, authn: {enabled: '${{ params.on }}'}}\n  timezone: {$value: null}\n",
    "deploymentConfigurations:\n- name: default\n  persistentStorage:\n"
    "    s3: {secretAccessKey: 'encrypted:k8s!n:a!k:b'}\n"
    "  metricStores: {period: '${{ secret(''vault://a/b#c'') }}'}\n",
]


@pytest.mark.parametrize(("path", "text", "message"), WRONG)
def test_a_language_server_marks_what_is_wrong(
    server: LanguageServer, folder: Path, path: str, text: str, message: str
) -> None:
    schema = (folder / f"{schema_name('x/' + path)}.schema.json").as_uri()
    found = server.diagnose(f"wrong-{abs(hash(text))}/{path}", f"{text}# yaml-language-server: $schema={schema}\n")
    assert any(one.startswith(message) for one in found), found


@pytest.mark.parametrize("text", RIGHT)
def test_directives_parameters_and_references_are_accepted_in_typed_fields(
    server: LanguageServer, folder: Path, text: str
) -> None:
    schema = (folder / "layer-halconfig.schema.json").as_uri()
    assert server.diagnose(f"right-{abs(hash(text))}/config", f"{text}# yaml-language-server: $schema={schema}\n") == []


def test_init_writes_the_modeline_and_the_schemas_it_names(tmp_path: Path) -> None:
    ran = halgit("init", tmp_path / "new")
    assert ran.code == 0, ran.err
    named = {}
    for file in sorted((tmp_path / "new").rglob("*")):
        match = MODELINE.match(file.read_text()) if file.is_file() and file.suffix != ".json" else None
        if match:
            named[file.relative_to(tmp_path / "new").as_posix()] = (file.parent / match.group(1)).resolve()
    assert {path: target.name for path, target in named.items()} == {
        path: f"{schema_name(path)}.schema.json"
        for path in (
            "base/config", "base/default/profiles/gate-local.yml", "base/default/service-settings/gate.yml",
            "base/halgit.yaml", "halgit.yaml", "overlays/prod/config", "overlays/prod/halgit.yaml",
        )
    }  # fmt: skip
    for target in set(named.values()):
        assert json.loads(target.read_text()) == json.loads(halgit("schema", target.name.partition(".")[0]).out)


def test_a_language_server_follows_the_modelines_of_init(tmp_path: Path) -> None:
    halgit("init", tmp_path / "new")
    with language_server(tmp_path / "new", {"yaml": {"validate": True, "schemaStore": {"enable": False}}}) as server:
        config = (tmp_path / "new/base/config").read_text()
        assert server.diagnose("base/config", config) == []
        assert server.diagnose("other/config", config + "  verson: 1\n") == [
            f"{config.count(chr(10)) + 1}: Property verson is not allowed."
        ]


def test_the_readme_shows_the_association_of_files() -> None:
    readme = (needs.ROOT / "README.md").read_text()
    block = readme.partition("```jsonc\n// .vscode/settings.json\n")[2].partition("```")[0]
    settings = json.loads(block)
    names = {Path(path).name.partition(".schema.json")[0] for path in settings["yaml.schemas"]}
    assert names == {*NAMES, "halgit"}
    assert settings["files.associations"] == {"**/config": "yaml"}
