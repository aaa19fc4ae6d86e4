"""The tokens of OpsMx repositories: upper-case words that stand for values, each in certain files.

`scripts/make_opsmx_tokens.py` generates the table of tokens and their files. This module finds tokens in a string, and
words that resemble them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from halgit.halyard.resources import load_table
from halgit.lazy import lazy_pattern
from halgit.record import Record
from halgit.text.globs import matches_any
from halgit.text.phrases import find_nearest

VARIANTS = ("ssh", "s3")

_VARIANT_SUFFIX = lazy_pattern(rf"\.(?:{'|'.join(VARIANTS)})\Z")
_WORD = lazy_pattern(r"(?<![A-Za-z0-9_])[A-Z][A-Z0-9_]{5,}(?![A-Za-z0-9_])")
_CAPITALS = lazy_pattern(r"[A-Z]{3}")
_COMMENT = lazy_pattern(r"\s*(#|//|/?\*)")
_EXPRESSION_START = lazy_pattern(r"\$\{?\Z")


class Token(Record):
    """One token. `files` are globs of the files in which it is replaced."""

    name: str
    files: tuple[str, ...]
    secret: bool
    may_be_empty: bool
    description: str


@cache
def token_table() -> Mapping[str, Token]:
    """Return all tokens by name."""
    rows = load_table("opsmx_tokens").items()
    return {name: Token(name, **{**row, "files": tuple(row["files"])}) for name, row in rows}


def without_variant(path: str) -> str:
    """Return a file's path without its variant: `spinnakerconfig.yml` for `spinnakerconfig.yml.ssh`."""
    return _VARIANT_SUFFIX.sub("", path)


@cache
def tokens_of_file(path: str) -> frozenset[str]:
    """Return the tokens that are replaced in this file, in any of its variants.

    `spinnaker.yml` is `stormdriver-spinnaker.yml`, rendered under the name that Spinnaker reads.
    """
    paths = (without_variant(path), path.replace("/profiles/spinnaker.yml", "/profiles/stormdriver-spinnaker.yml"))
    return frozenset(
        name for name, token in token_table().items() if any(matches_any(one, token.files) for one in paths)
    )


@cache
def _pattern(names: frozenset[str]) -> re.Pattern[str]:
    """Return a pattern of these tokens as whole words: no letter, digit or `_` next to them."""
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(longest_first) or '(?!)'})(?![A-Za-z0-9_])")


def may_contain_token(text: str) -> bool:
    """Return whether a string can contain a token or a word that resembles one; a quick check."""
    return bool(_CAPITALS.search(text))


def split_tokens(text: str, names: frozenset[str]) -> list[str]:
    """Split a string into literal parts and tokens, alternating; one part if it has none of these tokens."""
    parts: list[str] = []
    done = 0
    for match in _pattern(names).finditer(text):
        parts += [text[done : match.start()], match.group()]
        done = match.end()
    return [*parts, text[done:]]


def contains_token(text: str, names: Iterable[str]) -> bool:
    """Return whether the string contains one of these tokens."""
    return bool(_pattern(frozenset(names)).search(text))


def misplaced_tokens(text: str, path: str) -> Iterator[str]:
    """Yield the tokens of other files, in order. `${BRANCH}` of a shell or Spring is not a token."""
    for match in _pattern(frozenset(token_table()) - tokens_of_file(path)).finditer(text):
        if not _EXPRESSION_START.search(text, 0, match.start()):
            yield match.group()


def misspelled_tokens(text: str, path: str) -> Iterator[tuple[str, str]]:
    """Yield words that resemble a token, with the token: `RELEASE-openldap`, or `RELASE_NAME` in a token's file."""
    for match in _WORD.finditer(text):
        word = match.group()
        if word in token_table() or _EXPRESSION_START.search(text, 0, match.start()):
            continue
        dashed = text[match.end() : match.end() + 1] == "-"
        same_start = next((name for name in token_table() if dashed and name.startswith(word + "_")), None)
        nearest = same_start or find_nearest(word, tokens_of_file(path), cutoff=0.85)
        if nearest:
            yield word, nearest


def lines_without_comments(text: str) -> Iterator[tuple[str, int]]:
    """Yield the lines that are not comments, with the offset at which each starts."""
    start = 0
    for line in text.splitlines(keepends=True):
        if not _COMMENT.match(line):
            yield line, start
        start += len(line)
