"""`halgit explain` as a user runs it: a leaf, a subtree, a whole file; where a value is from and what it overrode."""

from __future__ import annotations

from pathlib import Path

import pytest
from program import Ran, halgit
from servers.repositories import Repository

FILES = {
    "halgit.yaml": "params: {zone: a}\n",
    "base/halgit.yaml": "params:\n  host: {type: string, required: true}\n",
    "base/config": "deploymentConfigurations:\n- name: default\n  version: '1.36.0'\n",
    "base/default/profiles/gate-local.yml": (
        "a.b: 1\n"
        "url: https://${{ params.host }}/${{ params.zone }}\n"
        "one:\n  two: {three: base, four: [x, y]}\n"
        "accounts:\n- {name: 'p.q', password: hunter-9a}\n- {name: r}\n"
    ),
    "base/default/profiles/rosco/packer/x.json": "{}\n",
    "overlays/qa/halgit.yaml": (
        "bases: [../../base]\nparams: {host: qa.example.com}\n"
        "patches:\n- target: config\n"
        "  ops: [{op: replace, path: '/deploymentConfigurations/0/version', value: '1.36.1'}]\n"
    ),
    "overlays/qa/default/profiles/gate-local.yml": "one:\n  two: {three: overlay}\n",
    "overlays/qa/default/profiles/rosco/packer/x.json": "{ }\n",
}
GATE = "default/profiles/gate-local.yml"
QA, BASE = f"overlays/qa/{GATE}", f"base/{GATE}"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def explained(repository: object, target: str, *options: str, **environment: str) -> Ran:
    return halgit("explain", "--repo", repository, "--overlay", "qa", target, *options, **environment)


def test_a_leaf_with_what_it_overrode(repository: Path) -> None:
    assert explained(repository, f"{GATE}:one.two.three").out.splitlines() == [
        "one.two.three",
        "  value     overlay",
        f"  from      {QA}:2:16 (layer overlays/qa)",
        f"  overrode  {BASE}:4:16 (layer base)",
    ]


def test_a_leaf_by_a_patch(repository: Path) -> None:
    assert explained(repository, "config:deploymentConfigurations[name=default].version").out.splitlines() == [
        "deploymentConfigurations[name=default].version",
        "  value     1.36.1",
        "  from      overlays/qa/halgit.yaml:5:75 (layer overlays/qa, by patch)",
        "  overrode  base/config:3:12 (layer base)",
    ]


def test_a_leaf_made_of_parameters_tells_who_gives_them(repository: Path) -> None:
    assert explained(repository, f"{GATE}:url", HALGIT_PARAM_ZONE="b").out.splitlines() == [
        "url",
        "  value      https://qa.example.com/b",
        f"  from       {BASE}:2:6 (layer base, by parameter host, parameter zone)",
        "  parameter  host, set at overlays/qa/halgit.yaml:2:16 (layer overlays/qa)",
        "  parameter  zone, set by HALGIT_PARAM_ZONE",
    ]


def test_a_subtree_has_a_line_for_each_value(repository: Path) -> None:
    lines = explained(repository, f"{GATE}:one.two").out.splitlines()
    assert lines[0] == "one.two"
    assert [line.split() for line in lines[1:]] == [
        ["path", "value", "from", "layer", "by", "overrode"],
        ["three", "overlay", f"{QA}:2:16", "overlays/qa", f"{BASE}:4:16"],
        ["four[0]", "x", f"{BASE}:4:29", "base"],
        ["four[1]", "y", f"{BASE}:4:32", "base"],
    ]


def test_a_whole_file(repository: Path) -> None:
    lines = explained(repository, GATE).out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["path", "value"],
        ['"a.b"', "1"],
        ["url", "https://qa.example.com/a"],
        ["one.two.three", "overlay"],
        ["one.two.four[0]", "x"],
        ["one.two.four[1]", "y"],
        ['accounts[name="p.q"].name', "p.q"],
        ['accounts[name="p.q"].password', "********"],
        ["accounts[name=r].name", "r"],
    ]
    assert "host (overlays/qa/halgit.yaml:2:16), zone (halgit.yaml:1:16)" in lines[2]


def test_a_file_that_is_taken_as_it_is(repository: Path) -> None:
    assert explained(repository, "default/profiles/rosco/packer/x.json").out.splitlines() == [
        "  value     (the whole file, copied)",
        "  from      overlays/qa/default/profiles/rosco/packer/x.json:1:1 (layer overlays/qa)",
        "  overrode  base/default/profiles/rosco/packer/x.json:1:1 (layer base)",
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ('"a.b"', "1"),
        ("/a.b", "1"),
        ("one.two.four[1]", "y"),
        ("/one/two/four/1", "y"),
        ("one.two.four.1", "y"),
        ("accounts[name=r].name", "r"),
        ("accounts[name=p.q].name", "p.q"),
        ('accounts[name="p.q"].name', "p.q"),
        ("accounts[0].name", "p.q"),
        ('"one"."two".three', "overlay"),
    ],
)
def test_the_forms_of_a_path(repository: Path, path: str, value: str) -> None:
    ran = explained(repository, f"{GATE}:{path}", "--format", "json")
    assert [one["value"] for one in ran.json["values"]] == [value if value != "1" else 1]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nowhere.yml", "nowhere.yml is not in the rendered tree. Its files are: config, default/profiles/gate-local"),
        (f"{GATE}:one.tow", "one has no key tow (keys: two)."),
        (f"{GATE}:one.two.four[2]", "one.two.four has no item [2] (2 items)."),
        (f"{GATE}:accounts[name=s]", "accounts has no item [name=s] (names: p.q, r)."),
        (f"{GATE}:url.x", "url is a scalar, so it has no keys or items."),
        (f"{GATE}:one[", "The path 'one[' is invalid at character 4. Separate keys with dots, use [0] or"),
        ("default/profiles/rosco/packer/x.json:a", "x.json is copied unchanged, so it has no paths."),
    ],
)
def test_what_is_not_there(repository: Path, target: str, words: str) -> None:
    ran = explained(repository, target)
    assert words in ran.err
    assert (ran.code, ran.out) == (2, "")


def test_json_tells_the_same(repository: Path) -> None:
    three, url = (explained(repository, f"{GATE}:{path}", "--format", "json").json for path in ("one.two.three", "url"))
    place = {"file": QA, "line": 2, "column": 16, "layer": "overlays/qa", "revision": "", "how": ""}
    overridden = {**place, "file": BASE, "line": 4, "layer": "base"}
    assert three == {
        "file": GATE,
        "values": [
            {
                "path": "one.two.three",
                "value": "overlay",
                "reader": "Spring Boot",
                "read_as": "overlay",
                "origin": place,
                "overrode": [overridden],
                "parameters": [],
            }
        ],
    }
    given = {(one["name"], one["set_by"], one["origin"]["line"]) for one in url["values"][0]["parameters"]}
    assert given == {("host", "overlays/qa/halgit.yaml", 2), ("zone", "halgit.yaml", 1)}


def test_a_git_source_tells_its_commit(repository: Path, tmp_path: Path) -> None:
    made = Repository(tmp_path / "git")
    commit = made.commit(FILES)
    single = explained(made.url, f"{GATE}:one.two.three")
    assert f"{QA}:2:16 (layer overlays/qa, commit {commit[:12]})" in single.out
    several = explained(made.url, f"{GATE}:one.two")
    assert f"base @ {commit[:12]}" in several.out
    assert explained(made.url, GATE, "--format", "json").json["values"][0]["origin"]["revision"] == commit


READ = {
    "config": (
        "deploymentConfigurations:\n- name: default\n  version: 1.20\n  timezone: 2020-01-01\n"
        "  providers:\n    kubernetes:\n      accounts:\n"
        "      - {name: 007, cacheThreads: 3.7, onlySpinnakerManaged: 1, checkPermissionsOnStartup: null,\n"
        "         namespaces: [~]}\n"
    ),
    "default/service-settings/gate.yml": "port: '0012'\nenabled: ''\nenv: {A: 2020-01-01, B: yes, C: ~}\nhost: null\n",
    "default/profiles/gate-local.yml": "day: 2020-01-01\nnothing: ~\nnumber: 012\nflag: yes\n",
}
ACCOUNT = "config:deploymentConfigurations.0.providers.kubernetes.accounts.0"


@pytest.mark.parametrize(
    ("target", "value", "read", "text"),
    [
        ("config:deploymentConfigurations.0.version", 1.2, "1.2", ""),
        ("config:deploymentConfigurations.0.timezone", "2020-01-01", "1577836800000", "1577836800000 by Halyard"),
        (f"{ACCOUNT}.name", 7, "7", ""),
        (f"{ACCOUNT}.cacheThreads", 3.7, 3, "3 by Halyard"),
        (f"{ACCOUNT}.onlySpinnakerManaged", 1, True, "true by Halyard"),
        (f"{ACCOUNT}.checkPermissionsOnStartup", None, None, "absent by Halyard"),
        (f"{ACCOUNT}.namespaces.0", None, None, ""),
        ("default/service-settings/gate.yml:port", "0012", 12, "12 by Halyard"),
        ("default/service-settings/gate.yml:enabled", "", False, "false by Halyard"),
        ("default/service-settings/gate.yml:env.A", "2020-01-01", "1577836800000", "1577836800000 by Halyard"),
        ("default/service-settings/gate.yml:env.B", True, "true", ""),
        ("default/service-settings/gate.yml:host", None, None, ""),
        ("default/profiles/gate-local.yml:day", "2020-01-01", "2020-01-01", ""),
        ("default/profiles/gate-local.yml:nothing", None, "", '"" by Spring Boot'),
        ("default/profiles/gate-local.yml:number", 10, 10, ""),
        ("default/profiles/gate-local.yml:flag", True, True, ""),
    ],
)
def test_what_the_reader_of_the_file_makes_of_a_value(
    tmp_path: Path, target: str, value: object, read: object, text: str
) -> None:
    for name, content in READ.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (one,) = halgit("explain", "--repo", tmp_path, target, "--format", "json").json["values"]
    assert (one["value"], one["read_as"]) == (value, read)
    assert one["reader"] == ("Spring Boot" if "profiles" in target else "Halyard")
    lines = halgit("explain", "--repo", tmp_path, target).out.splitlines()
    assert [line.split("read as", 1)[1].strip() for line in lines if "read as" in line] == [text] * bool(text)
