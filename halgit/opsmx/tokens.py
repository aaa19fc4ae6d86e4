"""The tokens of the OpsMx repositories: upper-case words that stand for values, each in files of its own.

Which tokens there are, and in which files, is a table made by `scripts/make_opsmx_tokens.py`. This module finds them
in a text, and words that look like them. It knows no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from halgit.halyard.resources import load_table
from halgit.merge.selection import matches
from halgit.text.phrases import find_nearest

VARIANTS = ("ssh", "s3")

_SUFFIX = re.compile(rf"\.(?:{'|'.join(VARIANTS)})\Z")
_WORD = re.compile(r"(?<![A-Za-z0-9_])[A-Z][A-Z0-9_]{5,}(?![A-Za-z0-9_])")
_CAPITALS = re.compile(r"[A-Z]{3}")
_COMMENT = re.compile(r"\s*(#|//|/?\*)")
_IN_EXPRESSION = re.compile(r"\$\{?\Z")


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `files` are those it is replaced in, by name, `*` for all of a folder."""

    name: str
    files: tuple[str, ...]
    secret: bool
    may_be_empty: bool
    description: str


@cache
def token_table() -> Mapping[str, Token]:
    """All tokens by name."""
    return {
        name: Token(name, **{**row, "files": tuple(row["files"])}) for name, row in load_table("opsmx_tokens").items()
    }


def base_name(path: str) -> str:
    """A file's name without its variant: `spinnakerconfig.yml` for `spinnakerconfig.yml.ssh`."""
    return _SUFFIX.sub("", path)


@cache
def of_file(path: str) -> frozenset[str]:
    """The tokens that are replaced in this file, whichever variant of it."""
    return frozenset(name for name, token in token_table().items() if matches(base_name(path), token.files))


@cache
def _pattern(names: frozenset[str]) -> re.Pattern[str]:
    """Any of these tokens as a whole word: no letter, digit or `_` touches it."""
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(longest_first) or '(?!)'})(?![A-Za-z0-9_])")


def may_hold_any(text: str) -> bool:
    """Whether a token, or a word like one, can be in the text at all; a quick look."""
    return bool(_CAPITALS.search(text))


def apart(text: str, names: frozenset[str]) -> list[str]:
    """The text as literal parts and tokens, by turns; one part where it holds none of these tokens."""
    parts: list[str] = []
    done = 0
    for match in _pattern(names).finditer(text):
        parts += [text[done : match.start()], match.group()]
        done = match.end()
    return [*parts, text[done:]]


def found(text: str, names: Iterable[str]) -> bool:
    """Whether one of these tokens stands in the text."""
    return bool(_pattern(frozenset(names)).search(text))


def misplaced(text: str, path: str) -> Iterator[str]:
    """Tokens of other files, in the order of the text. A shell's or Spring's `${BRANCH}` is none."""
    for match in _pattern(frozenset(token_table()) - of_file(path)).finditer(text):
        if not _IN_EXPRESSION.search(text, 0, match.start()):
            yield match.group()


def lookalikes(text: str, path: str) -> Iterator[tuple[str, str]]:
    """Words that look like a token, and which: `RELEASE-openldap`, and in a token's own file `RELASE_NAME`."""
    for match in _WORD.finditer(text):
        word = match.group()
        if word in token_table() or _IN_EXPRESSION.search(text, 0, match.start()):
            continue
        dashed = text[match.end() : match.end() + 1] == "-"
        beginning = next((name for name in token_table() if dashed and name.startswith(word + "_")), None)
        near = beginning or find_nearest(word, of_file(path), cutoff=0.85)
        if near:
            yield word, near


def lines(text: str) -> Iterator[tuple[str, int]]:
    """The lines of a text that are no comments, with the offset each begins at."""
    start = 0
    for line in text.splitlines(keepends=True):
        if not _COMMENT.match(line):
            yield line, start
        start += len(line)


def in_lines(text: str, names: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Each of these tokens in the lines that are no comments, with its offset."""
    for line, start in lines(text):
        for match in _pattern(names).finditer(line):
            yield match.group(), start + match.start()
