"""A renderer of `sync` does again only what can have another result: nothing, or reading secrets, or everything."""

from __future__ import annotations

from pathlib import Path

import pytest
from sync_world import GATE, tree

from halgit import publish
from halgit.operator_settings import Access, OperatorSettings, SourceSpec, Trust
from halgit.pipeline import Finding, Severity
from halgit.record import replace
from halgit.sync.renderer import Candidate, Renderer


class Render:
    """Renders a repository, publishes the result, and counts the validations."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self.source, self.target = folder / "repo", folder / ".hal"
        self.access = Access()
        self.operator = OperatorSettings()
        self.validations: list[tuple[Finding, ...]] = []
        for path, text in files.items():
            file = self.source / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def __call__(self, last: Candidate | None = None, **options: bool) -> Candidate:
        specs, report = [SourceSpec(str(self.source))], self.validations.append
        with Renderer(specs, self.operator, self.access, self.target, lambda found: report(tuple(found))) as renderer:
            candidate = renderer.render(last=last, **options)
        settings = publish.Options(force=True, secrets=candidate.has_secrets)
        publish.publish(candidate.files, candidate.manifest, self.target, settings)
        return candidate


@pytest.fixture
def render(tmp_path: Path) -> Render:
    return Render(tmp_path, tree())


def test_unchanged_sources_without_secrets_are_the_published_tree(render: Render) -> None:
    first = render()
    again = render(first.without_files(), is_tree_enough=True)
    assert len(render.validations) == 1
    assert (again.files, again.digest, again.findings) == (first.files, first.digest, first.findings)


def test_unchanged_sources_are_not_validated_again(render: Render) -> None:
    first = render()
    again = render(first.without_files())
    assert len(render.validations) == 1
    assert (again.files, again.digest, again.lock) == (first.files, first.digest, first.lock)


@pytest.mark.parametrize("change", ["source", "settings", "tree"])
def test_a_change_is_rendered(render: Render, change: str) -> None:
    first = render()
    if change == "source":
        (render.source / GATE).write_text("a: 2\n")
    elif change == "settings":
        render.operator = replace(render.operator, hal_home="/elsewhere")
    else:
        (render.target / GATE).unlink()
    again = render(first.without_files(), is_tree_enough=True)
    assert again.files[GATE] == (b"a: 2\n" if change == "source" else b"a: 1\n")
    assert len(render.validations) == (1 if change == "tree" else 2)
    assert (render.target / GATE).read_bytes() == again.files[GATE]


def test_secrets_are_read_again_and_nothing_is_validated(tmp_path: Path) -> None:
    render = Render(tmp_path, tree(gate="password: ${{ secret('env://PW') }}\n"))
    render.operator = replace(render.operator, trust=Trust(frozenset({"env"})))
    render.access = replace(render.access, variables={"PW": "first-value"})
    first = render()
    render.access = replace(render.access, variables={"PW": "second-value"})
    again = render(first.without_files(), is_tree_enough=True)
    assert first.files[GATE] == b"password: first-value\n"
    assert again.files[GATE] == b"password: second-value\n"
    assert len(render.validations) == 1


def test_findings_about_secrets_are_reported_when_they_are_new(tmp_path: Path) -> None:
    render = Render(tmp_path, tree(gate="password: ${{ secret('env://PW') }}\n"))
    render.operator = replace(render.operator, trust=Trust(frozenset({"env"})))
    render.access = replace(render.access, variables={"PW": ""})
    first = render()
    assert [[one.rule for one in found] for found in render.validations] == [[], ["reference/empty"]]
    again = render(first.without_files())
    assert [one.rule for one in again.findings] == ["reference/empty"]
    render.access = replace(render.access, variables={"PW": "x"})
    assert render(again.without_files()).findings == ()
    assert len(render.validations) == 2


@pytest.mark.parametrize("rules", ["ignore: [halyard/deploy]", "severity: {halyard/deploy: info}"])
def test_decisions_apply_to_problems_of_halyard(render: Render, rules: str) -> None:
    problem = Finding("halyard/deploy", Severity.WARNING, "Stats are disabled.", "", "config")
    assert [one.severity for one in render().place([problem])] == [Severity.WARNING]
    (render.source / "halgit.yaml").write_text(f"rules: {{{rules}}}\n")
    found = [one.severity for one in render().place([problem])]
    assert found == ([Severity.INFO] if "severity" in rules else [])
