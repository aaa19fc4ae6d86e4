"""Input that is larger than any configuration: handled in seconds, or refused. Times are of the CPU, with a margin."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from program import halgit

CONFIG = "deploymentConfigurations:\n- {name: default, version: 1.36.0}\n"
GATE = "default/profiles/gate-local.yml"
UNKNOWN = "".join(f"unknown{n}: 1\n" for n in range(100_000))
SECONDS = 10
"""Each takes 1 to 4 seconds alone; the margin is for a machine that does other things too."""

ACCOUNTS = CONFIG.replace("{name: default, version: 1.36.0}", "name: default\n  version: 1.36.0") + (
    "  providers:\n    kubernetes:\n      enabled: true\n      accounts:\n"
)
DYNAMIC = "kubernetes:\n  accounts:\n"
COPIES = ", ".join(f"{{op: copy, from: /a, path: /a/b{number}}}" for number in range(40))
REST = "more findings of this rule are not listed. Fix the listed ones first."


def lines(form: str, count: int) -> str:
    return "".join(form.replace("#", str(number)) + "\n" for number in range(count))


def below(text: str, depth: int) -> str:
    return "".join(" " * depth + line + "\n" for line in text.splitlines())


CASES: dict[str, tuple[dict[str, str], str]] = {
    "unknown keys of a deployment": (
        {"config": "deploymentConfigurations:\n- name: default\n" + below(UNKNOWN, 2)}, "more keys are unknown.",
    ),
    "unknown keys of a halconfig": ({"config": CONFIG + UNKNOWN}, "more keys are unknown."),
    "unknown keys of service-settings": ({"default/service-settings/gate.yml": UNKNOWN}, "more keys are unknown."),
    "unknown keys of halgit.yaml": ({"halgit.yaml": UNKNOWN}, f"99500 {REST}"),
    "unknown keys of an account": (
        {"accounts/clouddriver-local.yml": "kubernetes:\n  accounts:\n  - name: a\n" + below(UNKNOWN, 4)}, REST,
    ),
    "100,000 accounts with an unknown key": (
        {"config": ACCOUNTS + lines("      - {name: a#, unknown#: 1}", 100_000)}, f"99499 {REST}",
    ),
    "100,000 dynamic accounts with an unknown key": (
        {"accounts/clouddriver-local.yml": DYNAMIC + lines("  - {name: a#, u#: 1}", 100_000)}, f"99499 {REST}",
    ),
    "duplicate keys": ({GATE: "a: 1\n" * 100_000}, f"99499 {REST}"),
    "unknown tags": ({GATE: lines("a#: !x 1", 100_000)}, f"99500 {REST}"),
    "malformed references": ({GATE: lines("a#: encrypted:bad", 100_000)}, f"99499 {REST}"),
    "passwords": ({GATE: lines("password#: pw#word", 100_000)}, f"99499 {REST}"),
    "one parameter 50,000 times": (
        {"halgit.yaml": "params: {p: v}\n", GATE: lines("k#: ${{ params.p }}", 50_000)}, "persistentStoreType",
    ),
    "50,000 parameters": (
        {"halgit.yaml": "params:\n" + lines("  p#: v", 50_000), GATE: lines("k#: ${{ params.p# }}", 50_000)},
        "persistentStoreType",
    ),
    "50,000 undeclared parameters": (
        {"halgit.yaml": "params: {p: v}\n", GATE: lines("k#: ${{ params.q# }}", 50_000)}, f"49500 {REST}",
    ),
    "documents": ({GATE: "---\na: 1\n" * 300_000}, "The file has more than 1000 YAML documents. Split the file."),
    "empty documents": ({GATE: "---\n" * 300_000}, "The file has more than 1000 YAML documents. Split the file."),
    "unknown profiles": ({f"default/profiles/unknown{n}.yml": "a: 1\n" for n in range(9_000)}, "persistentStoreType"),
    "copies of copies": (
        {"halgit.yaml": f"patches:\n- {{target: {GATE}, ops: [{COPIES}]}}\n", GATE: "a: {x: 1}\n"},
        "The patches create more than 500000 values. Copy and add less.",
    ),
    "copies in many patches": (
        {"halgit.yaml": "patches:\n" + f"- {{target: {GATE}, ops: [{{op: copy, from: /a, path: /b}}]}}\n" * 2000,
         GATE: "a: [" + "1, " * 5000 + "]\n"},
        "The patches create more than 500000 values. Copy and add less.",
    ),
    "output of a parameter": (
        {"halgit.yaml": "params: {p: " + "x" * 100_000 + "}\n", GATE: lines("k#: ${{ params.p }}", 5_000)},
        "Parameters insert more than 10485760 characters into the file.",
    ),
    "a glob with many stars": (
        {"halgit.yaml": "include: ['" + "*a" * 30 + "b']\n", "f/" + "a" * 200: "x"}, "persistentStoreType",
    ),
    "globs over folders": (
        {"halgit.yaml": "include: ['" + "**/a/" * 30 + "b']\n", "a/" * 60 + "c": "x"}, "persistentStoreType",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_ends(tmp_path: Path, case: str) -> None:
    files, words = CASES[case]
    for path, text in {"config": CONFIG, **files}.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    ran = halgit("validate", "--repo", tmp_path)
    assert ran.code == 1
    assert words in ran.out + ran.err
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    print(f"{case}: {used:.1f} s")
    assert used < SECONDS


DIGITS = "9" * 5_000
"""More than Python converts at once."""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("config", f"deploymentConfigurations:\n- {{name: default, version: '1.{DIGITS}.0'}}\n"),
        ("config", f"{ACCOUNTS}      - {{name: a, cacheThreads: '{DIGITS}'}}\n"),
        ("config", f"{ACCOUNTS}      - {{name: a, cacheThreads: {DIGITS}}}\n"),
        ("config", f"{ACCOUNTS}      - {{name: a, providerVersion: '{DIGITS}'}}\n"),
        ("config", f"{CONFIG[:-2]}, security: {{apiSecurity: {{overrideBaseUrl: 'http://a:{DIGITS}'}}}}}}\n"),
        ("default/service-settings/gate.yml", f"kubernetes: {{nodePort: '{DIGITS}'}}\n"),
        ("default/service-settings/gate.yml", f"port: '{DIGITS}'\n"),
        ("accounts/clouddriver-local.yml", f"{DYNAMIC}  - {{name: a, cacheThreads: '{DIGITS}'}}\n"),
        ("accounts/clouddriver-local.yml", f"kubernetes:\n  accounts[{DIGITS}]: {{name: a}}\n"),
        (GATE, f"a: {DIGITS}\nb: 1e{DIGITS}\nc: {DIGITS}.0\nd: {DIGITS}:30\ne: 0x{DIGITS}\nf[{DIGITS}]: 1\n"),
        ("halgit.yaml", f"params: {{p: {{type: integer, default: '{DIGITS}'}}}}\n"),
        ("halgit.yaml", f"patches: [{{target: config, ops: [{{op: remove, path: '/a/{DIGITS}'}}]}}]\n"),
    ],
)  # fmt: skip
def test_a_long_number_ends_no_command(path: str, text: str, tmp_path: Path) -> None:
    for name, content in {"config": CONFIG, path: text}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    for command in (("validate",), ("explain", "config"), ("explain", f"config:deploymentConfigurations[{DIGITS}]")):
        ran = halgit(command[0], "--repo", tmp_path, *command[1:])
        assert ran.code in (0, 1, 2, 3), ran.err[-500:]
