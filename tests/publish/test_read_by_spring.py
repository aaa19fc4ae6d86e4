"""What halgit writes, read by the programs that read it: profiles by Spring Boot 2.7.18, settings-local.js by Node.

A profile is compared with what its layers meant: the merged data, written as JSON by Python and read by the same Spring
Boot. JSON is YAML without its traps, so that our own emitter has no part in the expectation.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import needs
import pytest
from java_judge import JavaJudge, started
from needs import shared_data
from program import SAMPLE, halgit

from halgit import sources
from halgit.compiler import compile_tree
from halgit.operator_settings import Access, OperatorSettings, SourceSpec
from halgit.opsmx.tokens import token_table, tokens_of_file
from halgit.pipeline import MISSING, File, UnquotedScalar
from halgit.redaction import SecretText

AWKWARD: dict[str, Any] = {
    "yes": "yes", "no": True, "octal": "012", "ten": 10, "exponent": "1e3", "thousand": 1000.0, "date": "2020-01-01",
    "tilde": "~", "nothing": None, "empty": "", "blanks": " x ", "colon": "a: b", "hash": "a #b", "comment": "#x",
    "template": "{{ x }}", "property": "${a.b:c}", "tab": "a\tb", "lines": "a\n  b\n\nc\n", "umlaut": "größe",
    "emoji": "😀", "under": "1_000", "hex": "0x1F", "clock": "12:30:00", "dash": "- a", "alias": "*a", "anchor": "&a",
    "tag": "!a", "percent": "%a", "at": "@a", "backtick": "`a", "bracket": "[a", "brace": "}a", "quote": "it's \"a\"",
    "backslash": "C:\\temp", "long": "x y " * 60, "infinity": ".inf", "null-text": "null", "float": 1.5,
    "list": [1, "01"],

    "none": [], "map": {"a.b": 1, "c d": "2", "[e]": "3"}, "big": 12345678901234567890, "crlf": "a\r\nb", "nan": ".nan",
}  # fmt: skip
"""Values that a careless writer changes."""


class Spring:
    """The running JVM that reads profiles."""

    def __init__(self, java: JavaJudge) -> None:
        self._java = java

    def read(self, text: bytes) -> Any:
        """The properties of each document with their Java types; an assertion error where Spring Boot refuses it."""
        return self._answer(text)["documents"]

    def resolve(self, text: bytes) -> Any:
        """The properties of each document with their placeholders resolved, as a service gets them."""
        return self._answer(text)["resolved"]

    def _answer(self, text: bytes) -> Any:
        answer = self._java.ask_text(text)
        assert "documents" in answer, (answer, text)
        return answer


@pytest.fixture(scope="module")
def spring() -> Iterator[Spring]:
    with started("profiles") as java:
        yield Spring(java)


def _plain(value: Any) -> Any:
    """Data of halgit as JSON has it; references stay the texts they are."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, (SecretText, UnquotedScalar)):
        return str(value)
    return str(value) if isinstance(value, str) else value


def _compiled(folder: Path, overlay: str) -> dict[str, File]:
    """The profiles of a repository that are YAML, with the data that the layers mean."""
    snapshot = sources.open_source(SourceSpec(str(folder)), Access())
    try:
        compiled = compile_tree([snapshot], OperatorSettings(overlay=overlay, secrets="keep"))
        return {path: file for path, file in compiled.files.items() if "/profiles/" in path and path.count("/") == 2}
    finally:
        snapshot.close()


def _compare(spring: Spring, source: Path, overlay: str, out: Path) -> int:
    """Render, and compare each profile with what its layers meant; how many were compared."""
    arguments = ("--overlay", overlay) if overlay else ()
    ran = halgit("render", "--repo", source, *arguments, "--secrets", "keep", "--no-validate", "--out", out)
    assert ran.code == 0, ran.err
    compared = 0
    for path, file in _compiled(source, overlay).items():
        if path.endswith((".yml", ".yaml")):
            written = spring.read((out / path).read_bytes())
            if file.data is not MISSING and file.data is not None:
                assert written == spring.read(json.dumps(_plain(file.data), ensure_ascii=False).encode()), path
                compared += 1
    return compared


@pytest.mark.parametrize("overlay", ["dev", "staging", "prod"])
def test_spring_boot_reads_the_sample_as_its_layers_mean_it(overlay: str, spring: Spring, tmp_path: Path) -> None:
    assert _compare(spring, SAMPLE, overlay, tmp_path / ".hal") > 3


def test_spring_boot_reads_the_profiles_of_a_new_repository(spring: Spring, tmp_path: Path) -> None:
    assert halgit("init", tmp_path / "new").code == 0
    assert _compare(spring, tmp_path / "new", "prod", tmp_path / ".hal") > 0


def _awkward_repository(folder: Path) -> Path:
    """An overlay that replaces every scalar of its base, so that every value goes through the emitter."""
    scalars = {key: value for key, value in AWKWARD.items() if isinstance(value, (str, int, float))}
    base = {**AWKWARD, **dict.fromkeys(scalars, "replaced")}
    for name, data in (("base", base), ("overlays/x", scalars)):
        profile = folder / name / "default" / "profiles" / "gate-local.yml"
        profile.parent.mkdir(parents=True)
        profile.write_text(json.dumps({"values": data}, ensure_ascii=False), "utf-8")
    shutil.copy(needs.ROOT / "tests" / "validation" / "rules" / "base" / "config", folder / "base" / "config")
    (folder / "overlays" / "x" / "halgit.yaml").write_text("bases: [../../base]\n")
    return folder


def test_spring_boot_reads_awkward_values_as_they_are_meant(spring: Spring, tmp_path: Path) -> None:
    repository = _awkward_repository(tmp_path / "repository")
    assert _compare(spring, repository, "x", tmp_path / ".hal") == 1
    written = spring.read((tmp_path / ".hal" / "default" / "profiles" / "gate-local.yml").read_bytes())[0]
    for key in ("octal", "exponent", "date", "clock", "hex", "under", "tilde", "null-text", "infinity", "nan"):
        assert written[f"values.{key}"] == ["String", AWKWARD[key]], key


def test_the_judge_refuses_what_spring_boot_refuses(spring: Spring) -> None:
    with pytest.raises(AssertionError, match="duplicate key"):
        spring.read(b"a: 1\na: 2\n")
    assert spring.read(b"a: 2020-01-01\nb: ~\nc: 012\n") == [
        {"a": ["String", "2020-01-01"], "b": ["String", ""], "c": ["Integer", "10"]}
    ]


@pytest.mark.parametrize("password", ["a${b}c", "${x", "$${y}", "${b:c}d", "}${", "${${b}}"])
def test_the_escape_of_a_placeholder_in_a_secret_gives_the_secret(
    password: str, spring: Spring, tmp_path: Path
) -> None:
    """`reference/placeholder` says what to store instead of `${`; what Spring makes of both is what it says."""
    repository, secret = tmp_path / "repository", tmp_path / "secret"
    profile = repository / "default" / "profiles" / "gate-local.yml"
    profile.parent.mkdir(parents=True)
    shutil.copy(needs.ROOT / "tests" / "validation" / "rules" / "base" / "config", repository / "config")
    profile.write_text(f"b: other\npassword: \"${{{{ secret('file://{secret}') }}}}\"\n")
    command = ("render", "--repo", repository, "--allow-engine", "file", "--no-validate", "--out", tmp_path / ".hal")
    secret.write_text(password)
    ran = halgit(*command)
    found = re.search(r"contains \${, which Spring expands in a profile\. Store (\S+) in place of (\S+) in", ran.err)
    assert found, ran.err
    (as_it_is,) = spring.resolve((tmp_path / ".hal/default/profiles/gate-local.yml").read_bytes())
    is_closed = "}" in password.partition("${")[2]
    assert (as_it_is["password"] != password) is is_closed
    secret.write_text(password.replace(found[2], found[1]))
    assert halgit(*command).code == 0
    (escaped,) = spring.resolve((tmp_path / ".hal/default/profiles/gate-local.yml").read_bytes())
    assert escaped["password"] == password


REAL = ["standard-isd-gitops", "standard-isd-gitops-4.0.4.2"]
TOKEN_VALUE = "a: 'b' \"c\" #d \\e &f/g|h% {{i}} 012"
"""A value of a token with everything that `sed` and YAML stumble over."""


def _token_values(folder: Path, names: Iterable[str]) -> Path:
    """Write a value for every token; that of a secret is a reference."""
    table = token_table()
    values = {name: f"encrypted:s:{name.lower()}" if table[name].secret else f"{TOKEN_VALUE} {name}" for name in names}
    (folder / "values.yml").write_text(json.dumps({**values, "stormdriver": True}))
    return folder / "values.yml"


def _replaced(documents: Any, path: str) -> Any:
    """The properties that Spring reads of an original profile, with its tokens replaced: what the repository means."""
    names, table = tokens_of_file(path), token_table()
    word = re.compile(
        rf"(?<![A-Za-z0-9_])(?:{'|'.join(sorted(names, key=len, reverse=True)) or '(?!)'})(?![A-Za-z0-9_])"
    )

    def value(found: re.Match[str]) -> str:
        name = found.group()
        return f"encrypted:s:{name.lower()}" if table[name].secret else f"{TOKEN_VALUE} {name}"

    return [
        {key: [kind, word.sub(value, text) if kind == "String" else text] for key, (kind, text) in one.items()}
        for one in documents
    ]


@pytest.mark.parametrize("repository", REAL)
def test_every_profile_of_a_real_repository_means_what_it_meant_with_its_tokens(
    repository: str, spring: Spring, tmp_path: Path
) -> None:
    source = shared_data() / repository
    values = _token_values(tmp_path, token_table())
    arguments = ("--secrets", "keep", "--no-validate", "--params", values, "--out", tmp_path / ".hal")
    ran = halgit("render", "--repo", source, *arguments)
    assert ran.code == 0, ran.err
    written = sorted((tmp_path / ".hal").glob("default/profiles/*.yml"))
    assert len(written) > 5
    for profile in written:
        path = profile.relative_to(tmp_path / ".hal").as_posix()
        original = source / path.replace("/spinnaker.yml", "/stormdriver-spinnaker.yml")
        assert spring.read(profile.read_bytes()) == _replaced(spring.read(original.read_bytes()), path), path


@pytest.mark.parametrize("repository", REAL)
def test_every_profile_of_a_real_repository_means_the_same_after_a_merge(
    repository: str, spring: Spring, tmp_path: Path
) -> None:
    """An overlay adds one property to each profile, so that the emitter writes the whole file."""
    source = shared_data() / repository
    single = [one for one in source.glob("default/profiles/*.yml") if len(spring.read(one.read_bytes())) == 1]
    profiles = tmp_path / "overlay" / "default" / "profiles"
    profiles.mkdir(parents=True)
    for profile in single:
        (profiles / profile.name).write_text("zz-added: {value: '012'}\n")
    sources_ = ("--repo", source, "--repo", tmp_path / "overlay", "--dialect", "halgit")
    ran = halgit("render", *sources_, "--secrets", "keep", "--no-validate", "--out", tmp_path / ".hal")
    assert ran.code == 0, ran.err
    compared = 0
    for profile in single:
        written = tmp_path / ".hal" / "default" / "profiles" / profile.name
        if written.exists():
            (before,) = spring.read(profile.read_bytes())
            assert spring.read(written.read_bytes()) == [{**before, "zz-added.value": ["String", "012"]}], profile.name
            compared += 1
    assert compared > 5


QUOTES = 'it\'s "a" \\ `b` ${c}\n</script>'
"""A parameter with everything that ends a JavaScript string."""


@pytest.mark.parametrize("overlay", ["dev", "staging", "prod"])
def test_node_accepts_the_settings_of_deck(overlay: str, tmp_path: Path) -> None:
    node = needs.program("node", "nodejs")
    shutil.copytree(SAMPLE, tmp_path / "repository")
    settings = tmp_path / "repository" / "base" / "default" / "profiles" / "settings-local.js"
    before = settings.read_text() if settings.exists() else ""
    settings.write_text(
        before + "window.a = '${{ params.awkward }}'; window.b = \"${{ params.awkward }}\";"
        " window.c = `${{ params.awkward }}`; window.d = ${{ params.awkward }};\n"
    )
    root = tmp_path / "repository" / "base" / "halgit.yaml"
    root.write_text(root.read_text().replace("params:\n", f"params:\n  awkward: {json.dumps(QUOTES)}\n", 1))
    out = tmp_path / ".hal"
    arguments = ("--overlay", overlay, "--secrets", "mask", "--no-validate", "--out", out)
    ran = halgit("render", "--repo", tmp_path / "repository", *arguments)
    assert ran.code == 0, ran.err
    written = out / "default" / "profiles" / "settings-local.js"
    checked = subprocess.run([node, "--check", written], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    start, end = "var window = {spinnakerSettings: {feature: {}}};", "[window.a, window.b, window.c, window.d]"
    script = f"{start} {written.read_text()}; console.log(JSON.stringify({end}))"
    answered = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    assert json.loads(answered.stdout) == [QUOTES] * 4
