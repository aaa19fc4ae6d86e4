"""`halgit diff` as a user runs it, against real git repositories, other sources and rendered trees."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from program import SAMPLE, Ran, halgit
from servers.repositories import Repository

CONFIG = """\
deploymentConfigurations:
- name: default
  version: 1.36.1
  providers:
    kubernetes:
      enabled: true
      primaryAccount: prod
      accounts:
      - name: prod
        serviceAccount: true
        namespaces: [a, b]
      - name: old
        serviceAccount: true
    dockerRegistry:
      enabled: true
      accounts:
      - {name: hub, address: https://hub, password: canary-one}
  deploymentEnvironment: {type: Distributed, accountName: prod, location: spinnaker}
  persistentStorage: {persistentStoreType: s3, s3: {bucket: one}}
"""
GATE = "# Ports.\nserver:\n  port: 8084\nlist:\n- one\n- two\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repo")
    made.commit({"config": CONFIG, "default/profiles/gate-local.yml": GATE})
    return made


def edit(repository: Repository, file: str, *pairs: tuple[str, str]) -> None:
    place = repository.folder / file
    text = place.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    place.write_text(text)


def diff(repository: Repository, *arguments: object) -> Ran:
    return halgit("diff", "--repo", repository.folder, "--base", "HEAD", *arguments)


def services(ran: Ran) -> dict[str, tuple[str, list[str]]]:
    return {row["name"]: (row["effect"], row["reason"]) for row in ran.json["services"]}


def settings(rows: list[dict[str, Any]]) -> list[tuple[str, str, Any, Any]]:
    return [(row["change"], row["path"].split("].")[-1], row["before"], row["after"]) for row in rows]


def test_comments_quoting_and_the_order_of_keys_are_no_change(repository: Repository) -> None:
    edit(repository, "config", ("version: 1.36.1", "'version': \"1.36.1\" # same"), ("[a, b]", '["a",b]'))
    edit(repository, "config", ("- {name: hub, address: https://hub, ", "- {address: https://hub, name: hub, "))
    edit(repository, "config", ("      - name: old\n        serviceAccount: true\n", ""))
    edit(repository, "config", ("      accounts:\n      - name: prod", "      accounts:\n      - name: old\n"
                                "        serviceAccount: true\n      - name: prod"))  # fmt: skip
    edit(repository, "default/profiles/gate-local.yml", ("# Ports.\n", ""))
    ran = diff(repository, "--exit-code")
    assert (ran.code, ran.out, ran.err) == (0, "No difference.\n", "")


def test_the_order_of_a_plain_list_and_the_type_of_a_scalar_are_a_change(repository: Repository) -> None:
    edit(repository, "default/profiles/gate-local.yml", ("- one\n- two", "- two\n- one"), ("8084", "'8084'"))
    ran = diff(repository, "--format", "json")
    assert settings(ran.json["settings"]) == [
        ("changed", "server.port", 8084, "8084"),
        ("changed", "list", ["one", "two"], ["two", "one"]),
    ]
    assert "server.port: 8084 -> '8084'" in diff(repository).out


def test_accounts_that_came_went_and_changed_are_told_by_name(repository: Repository) -> None:
    edit(repository, "config", ("- name: old", "- name: new"), ("[a, b]", "[b, c]"))
    ran = diff(repository)
    assert ran.out.splitlines()[:4] == [
        "~ account kubernetes prod (config)",
        "    ~ namespaces: +c -a",
        "+ account kubernetes new (config)",
        "- account kubernetes old (config)",
    ]
    assert "2 services restart" not in ran.out
    assert ran.out.splitlines()[-1] == "3 accounts differ; 1 service restarts."


def test_an_account_that_moved_in_its_list_is_still_the_account(repository: Repository) -> None:
    first = "      - name: prod\n        serviceAccount: true\n        namespaces: [a, b]\n"
    edit(repository, "config", (first, ""), ("      - name: old\n        serviceAccount: true\n", ""))
    edit(repository, "config", ("      accounts:\n    dockerRegistry", "      accounts:\n      - name: old\n"
                                f"        serviceAccount: true\n{first}    dockerRegistry"),
                               ("        namespaces: [a, b]\n", ""))  # fmt: skip
    ran = diff(repository, "--format", "json")
    (account,) = ran.json["accounts"]
    assert (account["kind"], account["name"], account["change"]) == ("kubernetes", "prod", "changed")
    assert settings(account["settings"]) == [("removed", "namespaces", ["a", "b"], None)]


def test_the_accounts_of_a_new_provider_are_new_accounts(repository: Repository) -> None:
    edit(repository, "config", ("    dockerRegistry:", "    aws:\n      enabled: true\n      accounts:\n"
                                "      - {name: cloud, accountId: '1'}\n    dockerRegistry:"))  # fmt: skip
    ran = diff(repository, "--format", "json")
    assert [(row["kind"], row["name"], row["change"]) for row in ran.json["accounts"]] == [("aws", "cloud", "added")]
    assert settings(ran.json["settings"])[0][1] == "providers.aws.enabled"


def test_a_secret_is_masked_yet_its_change_is_told_by_a_mark_of_the_run(repository: Repository) -> None:
    edit(repository, "config", ("canary-one", "canary-two"))
    ran, again = diff(repository), diff(repository)
    markdown = diff(repository, "--format", "markdown").out + diff(repository, "--format", "json").out
    assert "canary" not in ran.out + ran.err + markdown
    (line,) = (line for line in ran.out.splitlines() if "password" in line)
    before, after = line.split("password: ")[1].split(" -> ")
    assert before != after
    assert all(mark.startswith("******** (") and len(mark) == 19 for mark in (before, after))
    assert line not in again.out


def test_a_reference_is_no_secret_and_is_told(repository: Repository) -> None:
    edit(repository, "config", ("canary-one", "encrypted:registry:password"))
    ran = diff(repository)
    assert "-> encrypted:registry:password" in ran.out
    assert "canary" not in ran.out


def test_secret_parameters_are_compared_and_never_shown(repository: Repository) -> None:
    text = "url: redis://:${{ params.pw }}@host\n"
    halgit_yaml = "params: {pw: {type: string, secret: true}}\n"
    repository.commit({"halgit.yaml": halgit_yaml, "default/profiles/echo-local.yml": text})
    edit(repository, "default/profiles/echo-local.yml", ("@host", "@other"))
    file = repository.folder.parent / "pw"
    file.write_text("canary-three")
    ran = halgit("diff", "--repo", repository.folder, "--base", "HEAD", HALGIT_PARAM_PW_FILE=str(file))
    assert ran.code == 0, ran.err
    assert "canary" not in ran.out + ran.err
    assert "~ url: redis://:********@host (" in ran.out


def test_services_are_named_with_what_reaches_them(repository: Repository) -> None:
    edit(repository, "default/profiles/gate-local.yml", ("8084", "8085"))
    edit(repository, "config", ("bucket: one", "bucket: two"))
    edit(repository, "config", ("  persistentStorage:", "  security: {authz: {enabled: true}}\n  persistentStorage:"))
    found = services(diff(repository, "--format", "json"))
    assert found["fiat"][0] == "starts"
    assert "Front50 stores all data there" in found["front50"][1]
    assert "it reads profiles/gate-local.yml" in found["gate"][1]
    assert found["gate"][0] == "restarts"
    assert "redis" not in found


def test_another_deployment_reaches_no_service_of_this_one(repository: Repository) -> None:
    other = CONFIG.replace("- name: default", "- name: other").split("\n", 1)[1]
    repository.commit({"config": CONFIG + other})
    edit(repository, "config", ("- name: other\n  version: 1.36.1", "- name: other\n  version: 1.36.0"))
    ran = diff(repository, "--format", "json")
    assert [row["path"] for row in ran.json["settings"]] == ["deploymentConfigurations[name=other].version"]
    assert services(ran)["gate"] == ("restarts", ["it sets the version of every service"])


def test_dynamic_accounts_are_told_and_clouddriver_reads_them_itself(repository: Repository) -> None:
    accounts = "kubernetes:\n  accounts:\n  - {name: dyn, kubeconfigContents: canary-four}\n"
    repository.commit({"accounts/clouddriver-local.yml": accounts})
    edit(repository, "accounts/clouddriver-local.yml", ("canary-four", "canary-five"))
    ran = diff(repository)
    assert "~ account kubernetes dyn (accounts/clouddriver-local.yml)" in ran.out
    assert "reloads clouddriver: it reads accounts/clouddriver-local.yml itself, without a restart" in ran.out
    assert "canary" not in ran.out


def test_files_and_their_kinds(repository: Repository) -> None:
    repository.commit({"default/profiles/settings-local.js": "a", "default/profiles/igor-local.yml": "a: 1\n---\nb: 2"})
    (repository.folder / "default/profiles/settings-local.js").write_text("b")
    (repository.folder / "default/profiles/igor-local.yml").write_text("a: 1 # one\n---\nb: 2\n")
    (repository.folder / "default/profiles/fiat-local.yml").write_text("a: 1\n")
    (repository.folder / "default/profiles/gate-local.yml").unlink()
    ran = diff(repository, "--format", "json")
    assert [(row["path"].split("/")[-1], row["change"]) for row in ran.json["files"]] == [
        ("fiat-local.yml", "added"),
        ("gate-local.yml", "removed"),
        ("settings-local.js", "changed"),
    ]


def test_a_folder_of_a_work_tree_and_any_name_git_knows(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "re po")
    repository.commit({"conf/hal/config": CONFIG})
    repository.commit({"conf/hal/config": CONFIG.replace("1.36.1", "1.36.0")})
    repository.git("tag", "v1", "HEAD~1")
    for ref in ("HEAD~1", "v1", "main~1", repository.git("rev-parse", "--short", "HEAD~1")):
        ran = halgit("diff", "--repo", repository.folder / "conf", "--path", "hal", "--base", ref)
        assert "version: '1.36.1' -> '1.36.0'" in ran.out, ran.err
    assert halgit("diff", "--repo", "hal", "--base", "HEAD", cwd=repository.folder / "conf").out == "No difference.\n"


def test_a_shallow_clone_with_the_base_fetched(repository: Repository, tmp_path: Path) -> None:
    edit(repository, "config", ("bucket: one", "bucket: two"))
    repository.git("checkout", "-q", "-b", "change")
    repository.commit()
    clone = Repository(tmp_path / "clone")
    clone.git("fetch", "-q", "--depth=1", repository.url, "change")
    clone.git("checkout", "-q", "FETCH_HEAD")
    ran = halgit("diff", "--repo", clone.folder, "--base", "origin/main")
    assert ran.code == 3
    assert "commit origin/main not found" in ran.err
    clone.git("fetch", "-q", "--depth=1", repository.url, "main:refs/remotes/origin/main")
    assert "bucket: one -> two" in halgit("diff", "--repo", clone.folder, "--base", "origin/main").out


def test_a_git_url_is_compared_with_another_ref_of_it(repository: Repository) -> None:
    repository.git("branch", "stable")
    edit(repository, "config", ("bucket: one", "bucket: two"))
    repository.commit()
    ran = halgit("diff", "--repo", f"{repository.url}?ref=main", "--base", "stable")
    assert "bucket: one -> two" in ran.out, ran.err


def test_another_source(repository: Repository, tmp_path: Path) -> None:
    shutil.copytree(repository.folder, tmp_path / "other", ignore=shutil.ignore_patterns(".git"))
    edit(repository, "config", ("bucket: one", "bucket: two"))
    ran = halgit("diff", "--repo", repository.folder, "--base-repo", tmp_path / "other", "--exit-code")
    assert ran.code == 1
    assert "bucket: one -> two" in ran.out
    assert "The trees differ: 1 setting differs; 1 service restarts." in ran.err


def test_all_overlays_with_one_that_is_new_and_one_that_went(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repo")
    overlay = "bases: [../../base]\n"
    layers = {"base/config": CONFIG, "overlays/same/halgit.yaml": overlay, "overlays/old/halgit.yaml": overlay}
    repository.commit(layers)
    shutil.rmtree(repository.folder / "overlays/old")
    (repository.folder / "overlays/new").mkdir()
    (repository.folder / "overlays/new/halgit.yaml").write_text(overlay)
    ran = halgit("diff", "--repo", repository.folder, "--base", "HEAD", "--all-overlays", "--format", "json")
    assert [(row["overlay"], row["path"], row["change"]) for row in ran.json["files"]] == [
        ("new", "config", "added"),
        ("old", "config", "removed"),
    ]
    assert {row["effect"] for row in ran.json["services"] if row["overlay"] == "new"} == {"starts"}
    assert "The base has no overlay new: all of it is new." in ran.err


@pytest.mark.parametrize("mode", ["mask", "keep"])
def test_a_rendered_tree_of_the_sample_is_no_difference(mode: str, tmp_path: Path) -> None:
    arguments = ("--repo", SAMPLE, "--overlay", "prod")
    assert halgit("render", *arguments, "--secrets", mode, "--out", tmp_path / ".hal").code == 0
    ran = halgit("diff", *arguments, "--base-tree", tmp_path / ".hal", "--exit-code")
    assert (ran.code, ran.out) == (0, "No difference.\n")


def test_a_tree_with_opened_secrets_shows_none_of_them(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("canary-six")
    edit(
        repository,
        "config",
        ("canary-one", "\"${{ secret('file://PLACE') }}\"".replace("PLACE", str(tmp_path / "pw"))),
        ("name: old", "name: old\n        context: x"),
    )
    out = tmp_path / ".hal"
    ran = halgit("render", "--repo", repository.folder, "--out", out, "--allow-engine", "file")
    assert ran.code == 0, ran.err
    edit(repository, "config", ("context: x", "context: y"), ("bucket: one", "bucket: two"))
    ran = halgit("diff", "--repo", repository.folder, "--base-tree", out)
    assert ran.code == 0, ran.err
    assert "canary" not in ran.out + ran.err
    assert "~ context: ******** (" in ran.out
    assert "password" not in ran.out
    assert f"1 secret of {out} was not compared: references are resolved there." in ran.err


def test_a_tree_changed_by_hand_is_told(repository: Repository, tmp_path: Path) -> None:
    halgit("render", "--repo", repository.folder, "--secrets", "mask", "--out", tmp_path / ".hal")
    place = tmp_path / ".hal/config"
    place.write_text(place.read_text().replace("bucket: one", "bucket: hand"))
    ran = halgit("diff", "--repo", repository.folder, "--base-tree", tmp_path / ".hal")
    assert "files were modified since halgit wrote them: config." in ran.err
    assert "bucket: hand -> one" in ran.out


def test_errors_of_the_change_are_told_with_the_difference(repository: Repository) -> None:
    edit(repository, "config", ("bucket: one", "bucket: '${{ params.nowhere }}'"))
    ran = diff(repository)
    assert ran.code == 1
    assert "bucket" in ran.out
    assert "nowhere" in ran.err


def test_a_change_that_cannot_be_read_is_told_and_not_compared(repository: Repository) -> None:
    edit(repository, "config", ("bucket: one", "bucket: [one"))
    ran = diff(repository)
    assert (ran.code, ran.out) == (1, "")
    assert "config:19" in ran.err


def test_errors_of_the_base_are_told_and_do_not_stop_it(repository: Repository) -> None:
    good = (repository.folder / "config").read_text()
    repository.commit({"config": good.replace("bucket: one", "bucket: '${{ params.nowhere }}'")})
    (repository.folder / "config").write_text(good)
    ran = diff(repository)
    assert ran.code == 0
    assert "has 1 error, so the comparison may show too much. The first: config: " in ran.err


def test_markdown_is_folded_and_never_longer_than_a_forge_takes(repository: Repository) -> None:
    lines = "".join(f"key{number}: a{number}\n" for number in range(3000))
    (repository.folder / "default/profiles/gate-local.yml").write_text(lines)
    ran = diff(repository, "--format", "markdown")
    assert ran.out.startswith("### halgit: 3,002 settings differ; 1 service restarts\n") or ran.out.startswith(
        "### halgit: 3002 settings differ; 1 service restarts\n"
    )
    assert len(ran.out.encode()) < 65_536
    assert ran.out.count("<details") == ran.out.count("</details>") == 2
    assert "| restarts | `gate` | it reads profiles/gate-local.yml |" in ran.out
    rows = ran.out.count("| added |") + ran.out.count("| removed |")
    assert f"{3002 - rows} lines are omitted here; `halgit diff` shows all of them." in ran.out
    assert 300 < rows < 3000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            (),
            "The base of the comparison is missing. Pass one of --base REF, --base-repo SRC, --base-tree DIR, ",
        ),
        (("--base", "a", "--base-repo", "b"), "Several bases are set."),
        (("--base", "a", "--overlay", "b", "--all-overlays"), "--overlay and --all-overlays are mutually exclusive."),
        (("--base-tree", "a", "--all-overlays"), "--base-tree and --all-overlays are mutually exclusive."),
        (("--base", "a", "--repo", "b"), "--base needs exactly one --repo."),
        (("--base", "-x"), "--base '-x' is not a valid commit name."),
    ],
)
def test_wrong_use(repository: Repository, arguments: tuple[str, ...], words: str) -> None:
    given = arguments if "--repo" not in arguments else (*arguments[:-1], repository.folder)
    ran = halgit("diff", "--repo", repository.folder, *given)
    assert ran.code == 2
    assert words in ran.err


def test_what_cannot_be_compared_with(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/config").write_text(CONFIG)
    ran = halgit("diff", "--repo", tmp_path / "plain", "--base", "main")
    assert ran.code == 3
    assert "not a git work tree" in ran.err
    ran = halgit("diff", "--repo", repository.folder, "--base-tree", tmp_path / "plain")
    assert ran.code == 3
    assert "is not a rendered tree: it has no .halgit.json of halgit. Compare another" in ran.err


def test_two_overlays_are_compared(repository: Repository) -> None:
    ran = halgit(
        *("diff", "--repo", SAMPLE, "--overlay", "prod", "--base-overlay", "staging", "--format", "json"), "--exit-code"
    )
    assert ran.code == 1
    accounts = {(row["name"], row["change"]) for row in ran.json["accounts"]}
    assert {("prod-eu", "added"), ("prod-us", "added"), ("staging", "removed")} <= accounts
    version = next(row for row in ran.json["settings"] if row["path"].endswith(".version"))
    assert (version["before"], version["after"]) == ("1.36.1", "1.36.0")
    assert halgit("diff", "--repo", SAMPLE, "--overlay", "prod", "--base-overlay", "prod").out == "No difference.\n"


def test_an_overlay_is_compared_with_another_one_of_another_commit(repository: Repository) -> None:
    for name, port in (("a", 1), ("b", 2)):
        (repository.folder / f"overlays/{name}/default/profiles").mkdir(parents=True)
        (repository.folder / f"overlays/{name}/halgit.yaml").write_text("bases: [../..]\n")
        (repository.folder / f"overlays/{name}/default/profiles/gate-local.yml").write_text(f"port: {port}\n")
    repository.git("add", ".")
    repository.git("commit", "-qm", "overlays")
    (repository.folder / "overlays/b/default/profiles/gate-local.yml").write_text("port: 3\n")
    ran = diff(repository, "--overlay", "b", "--base-overlay", "a", "--format", "json")
    assert [(row["before"], row["after"]) for row in ran.json["settings"]] == [(1, 3)]


def test_an_unknown_base_overlay_is_a_usage_error() -> None:
    ran = halgit("diff", "--repo", SAMPLE, "--overlay", "prod", "--base-overlay", "stagin")
    assert ran.code == 2
    assert "has no overlay stagin." in ran.err
