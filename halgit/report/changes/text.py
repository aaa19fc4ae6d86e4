"""Differences for people, line by line: accounts, settings by file, files, and the services with the reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from halgit.report.changes.words import SIGNS, below, changed, together
from halgit.report.differences import Difference, summary

Colour = Callable[[str, str], str]
_COLOURS = {"added": "green", "removed": "error", "changed": "warning"}


def plain(text: str, name: str) -> str:
    """No colour."""
    return text


def render(differences: Sequence[Difference], colour: Colour = plain) -> str:
    """Every overlay that differs, then what it comes to."""
    parts = []
    for one in differences:
        if one:
            title = [colour(f"overlay {one.overlay}", "bold")] if one.overlay and len(differences) > 1 else []
            parts.append("\n".join([*title, *_lines(one, colour)]))
    told = summary(differences)
    return "\n\n".join([*parts, f"{told[0].upper()}{told[1:]}."])


def _lines(one: Difference, colour: Colour) -> Iterator[str]:
    def sign(change: str) -> str:
        return colour(SIGNS[change], _COLOURS[change])

    for account in one.accounts:
        yield f"{sign(account.change)} account {account.kind} {account.name} ({account.file})"
        for setting in account.settings:
            yield f"    {sign(setting.change)} {changed(setting, below(setting.path, account.path))}"
    for file in dict.fromkeys(setting.file for setting in one.settings):
        yield f"{sign('changed')} {file}"
        for setting in one.settings:
            if setting.file == file:
                yield f"    {sign(setting.change)} {changed(setting, setting.path)}"
    for path, change in one.files:
        yield f"{sign(change)} file {path}"
    for (effect, reason), names in together(one.services).items():
        yield f"{colour(effect, 'bold')} {', '.join(names)}: {'; '.join(reason)}"
