"""`halgit overlays` as a user runs it: what differs between overlays, in every format, and the page in Chromium."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import needs
import pytest
from program import SAMPLE, halgit

CONFIG = """\
deploymentConfigurations:
- name: default
  version: 1.36.1
  providers:
    dockerRegistry:
      accounts:
      - {name: hub, address: https://index.docker.io, password: canary-0f3a}
"""
GATE = "default/profiles/gate-local.yml"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A base and two overlays: a parameter, an account of prod only, a secret that differs, files that differ."""
    files = {
        "base/halgit.yaml": "params: {host: {type: string, required: true}, port: 8084}\n",
        "base/config": CONFIG,
        f"base/{GATE}": "url: https://${{ params.host }}/\nport: ${{ params.port }}\nsame: 1\n",
        "base/default/profiles/settings-local.js": "window.spinnakerSettings.host = '${{ params.host }}';\n",
        "overlays/prod/halgit.yaml": "bases: [../../base]\nparams: {host: prod.example.com}\n",
        "overlays/prod/config": CONFIG.replace("  version: 1.36.1\n", "").replace("hub", "quay").replace("0f3a", "1b"),
        f"overlays/prod/{GATE}": "extra: <b>&amp;</b>\n",
        "overlays/test/halgit.yaml": "bases: [../../base]\nparams: {host: test.example.com}\n",
        "overlays/test/config": CONFIG.replace("canary-0f3a", "canary-77c1").replace("  version: 1.36.1\n", ""),
        "overlays/test/default/profiles/echo-local.yml": "a: 1\n",
    }
    for path, text in files.items():
        (tmp_path / "repo" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "repo" / path).write_text(text)
    return tmp_path / "repo"


def test_json_has_a_row_for_each_setting_that_differs_with_its_layer(repository: Path) -> None:
    ran = halgit("overlays", "--repo", repository, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    rows = {row["path"]: row["values"] for row in ran.json["settings"]}
    password = "deploymentConfigurations[name=default].providers.dockerRegistry.accounts[name=hub].password"
    assert set(rows) == {"url", "extra", password}
    assert rows["extra"] == {
        "prod": {"value": "<b>&amp;</b>", "layer": "overlays/prod", "place": f"overlays/prod/{GATE}:1", "how": ""},
        "test": None,
    }
    assert rows["url"]["test"]["value"] == "https://test.example.com/"
    assert (rows["url"]["test"]["layer"], rows["url"]["test"]["how"]) == ("overlays/test", "parameter host")
    marks = [rows[password][name]["value"] for name in ("prod", "test")]
    assert marks[0] != marks[1]
    assert all(re.fullmatch(r"\*+ \([0-9a-f]{8}\)", mark) for mark in marks)


def test_accounts_files_versions_and_findings_are_compared(repository: Path) -> None:
    found = halgit("overlays", "--repo", repository, "--format", "json").json
    assert {row["name"]: row["overlays"] for row in found["accounts"]} == {"hub": ["prod", "test"], "quay": ["prod"]}
    assert {row["path"]: row["contents"] for row in found["files"]} == {
        "default/profiles/settings-local.js": {"prod": "A", "test": "B"},
        "default/profiles/echo-local.yml": {"prod": "", "test": "A"},
    }
    prod, test = found["overlays"]
    assert (prod["name"], prod["versions"], prod["accounts"], test["accounts"]) == ("prod", ["1.36.1"], 2, 1)
    assert prod["summary"]["warning"] == len([one for one in prod["findings"] if one["severity"] == "warning"]) > 0


def test_text_and_markdown_show_values_layers_and_what_is_not_set(repository: Path) -> None:
    text = halgit("overlays", "--repo", repository).out
    lines = [line.split() for line in text.splitlines()]
    assert ["extra", "'<b>&amp;</b>'", "-"] in lines
    assert ["(overlays/prod)"] in lines
    assert ["dockerRegistry", "quay", "yes", "-"] in lines
    assert text.endswith("2 overlays: 3 settings, 1 account and 2 files differ.\n")
    markdown = halgit("overlays", "--repo", repository, "--format", "markdown").out
    assert "| `default/profiles/gate-local.yml`<br>`extra` | `'<b>&amp;</b>'`<br>overlays/prod | - |" in markdown


def test_no_format_shows_a_secret(repository: Path) -> None:
    for name in ("text", "json", "markdown", "html"):
        ran = halgit("overlays", "--repo", repository, "--format", name)
        assert ran.code == 0
        assert "canary" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--overlay", "prd"], "Unknown overlay prd. Did you mean prod?"),
        (["--overlay", "prod"], "A comparison needs at least two overlays. The overlays are prod, test."),
    ],
)
def test_overlays_that_cannot_be_compared(repository: Path, arguments: list[str], words: str) -> None:
    ran = halgit("overlays", "--repo", repository, *arguments)
    assert (ran.code, ran.err) == (2, f"halgit: {words}\n")


# --- the page


def browse(page: Path, search: str = "") -> str:
    """The page as Chromium shows it after its script has run. Fails on a message of the browser's console."""
    chromium = needs.program("chromium", "chromium")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]
    home = {"HOME": str(page.parent), "PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(page.parent)}
    command = [chromium, *options, f"file://{page}#{search}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=home)
    assert done.returncode == 0, done.stderr
    assert "CONSOLE" not in done.stderr, done.stderr
    return done.stdout


def visible(shown: str) -> list[str]:
    """The titles of the rows that are not hidden."""
    rows = re.findall(r"<tr data-text=[^>]*>.*?</th>", shown)
    return [re.sub("<[^>]+>", "", row) for row in rows if ' hidden=""' not in row.split(">", 1)[0]]


def test_the_page_needs_nothing_else_and_its_search_works(repository: Path, tmp_path: Path) -> None:
    page = tmp_path / "overlays.html"
    ran = halgit("overlays", "--repo", repository, "--format", "html", "--output", page)
    assert (ran.code, ran.err) == (0, f"Wrote {page}.\n")
    text = page.read_text()
    assert not re.search(r"(src|href)=|url\(|@import", text)
    assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in text
    everything = browse(page)
    assert len(visible(everything)) == 3 + 2 + 2
    assert 'id="count" aria-live="polite">7 rows<' in everything
    assert visible(browse(page, "example.com url")) == ["url"]
    assert "Nothing here matches the search." in browse(page, "no-such-word")


def test_the_page_of_the_sample_is_the_one_of_the_screenshot(tmp_path: Path) -> None:
    page = tmp_path / "overlays.html"
    assert halgit("overlays", "--repo", SAMPLE, "--format", "html", "--output", page).code == 0
    shown = browse(page, "overlays/prod")
    assert "deploymentConfigurations[name=default].version" in visible(shown)
    assert (needs.ROOT / "docs" / "images" / "overlays.png").read_bytes().startswith(b"\x89PNG")
