"""YAML that libyaml accepts and SnakeYAML 1.31 rejects or reads differently.

Tabs where only spaces are allowed, `"\\/"`, `|#`, a `?` in a plain scalar of a flow collection, `---` at the start of a
line of a plain scalar, a byte order mark after the beginning. Searches the text beside its nodes; parses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from halgit.annotations import Final
from halgit.lazy import lazy_pattern
from halgit.yaml.parser import Node, Stream, find_content_start
from halgit.yaml.source_text import BREAKS, FindingCollector, Mark, SourceText

_TAB_IN_GAP: Final = lazy_pattern(rf"#[^{BREAKS}]*|(\t)")
_TAB_IN_PLAIN: Final = lazy_pattern(rf"[{BREAKS}] *(\t)")
_DASHES_IN_PLAIN: Final = lazy_pattern(rf"[{BREAKS}](---)")
_ESCAPE: Final = lazy_pattern(r"\\(?:([/\t])|.)", re.DOTALL)
_HEADER: Final = lazy_pattern(rf"[|>][-+0-9]*([^-+0-9 {BREAKS}]| +[^ #{BREAKS}])")
_MIDDLE_MARK: Final = lazy_pattern(rf"[{BREAKS}](\ufeff)")
_TAG_ALONE: Final = lazy_pattern(r"(?:&\S+\s+)?!,")
_FLOW_KEY: Final = lazy_pattern(r"(\?)")


def check_compatibility(text: SourceText, stream: Stream, findings: FindingCollector) -> None:
    """Report everything that libyaml accepted and SnakeYAML does not."""
    for match in _MIDDLE_MARK.finditer(text.whole):
        message = "the file contains a byte order mark (U+FEFF) after its beginning."
        findings.add("yaml/control-character", text.mark(match.start(1)), message, "Remove it.")
    at, last = 0, None
    for node, flow in _scalars(stream):
        begin = find_content_start(text.whole, node)
        _gap(text, at, begin, last, findings)
        if _TAG_ALONE.match(text.whole, node.start.index, begin + 1):
            findings.add("yaml/tag", node.start, "a ! directly before a comma is not allowed.", "Quote it.")
        _scalar(text, node, begin, flow, findings)
        at, last = max(at, node.end.index), node
    if stream.problem is None and stream.too_deep is None:
        _gap(text, at, len(text.whole), last, findings)


def _scalars(stream: Stream) -> Iterator[tuple[Node, bool]]:
    """Iterate over all scalars in order, each with whether it is inside a flow collection."""
    stack = [(root, False) for root in reversed(stream.roots)]
    while stack:
        node, flow = stack.pop()
        if node.kind == "scalar":
            yield node, flow
        stack += [(item, flow or node.flow) for item in reversed(node.items)]


def _gap(text: SourceText, start: int, end: int, last: Node | None, findings: FindingCollector) -> None:
    """Check the space, comments and indicators between two scalars. Tabs after a plain scalar are allowed."""
    if text.whole.find("\t", start, end) < 0:
        return
    if last is not None and last.style == "" and last.text:
        while start < end and text.whole[start] in " \t":
            start += 1
    for match in _TAB_IN_GAP.finditer(text.whole, start, end):
        if match.group(1):
            _tab(text.mark(match.start()), text, findings)


def _tab(mark: Mark, text: SourceText, findings: FindingCollector) -> None:
    findings.add("yaml/tab", mark, describe_tab(text, mark), "Replace the tab with spaces.")


def describe_tab(text: SourceText, mark: Mark) -> str:
    """Describe a tab at a position. Names the text before it only if that cannot be a value."""
    before = text.line(mark.line)[: mark.column - 1].split()
    named = bool(before) and (before[-1][-1] in ":-?,[]{}")
    where = "indents this line" if not before else f"follows {before[-1]!r}" if named else "follows a value"
    return f"a tab {where}; Halyard accepts only spaces there."


def _scalar(text: SourceText, node: Node, start: int, flow: bool, findings: FindingCollector) -> None:
    end = node.end.index
    if node.style == "":
        for match in _TAB_IN_PLAIN.finditer(text.whole, start, end):
            _tab(text.mark(match.start(1)), text, findings)
        for match in _DASHES_IN_PLAIN.finditer(text.whole, start, end):
            message = "a line of an unquoted string begins with ---, which Halyard reads as a new document."
            findings.add("yaml/syntax", text.mark(match.start(1)), message, "Quote the string.")
        for match in _FLOW_KEY.finditer(text.whole, start, end) if flow else ():
            message = "an unquoted string inside [...] or {...} contains a ?, which Halyard reads as a key."
            findings.add("yaml/syntax", text.mark(match.start()), message, "Quote the string.")
    elif node.style == '"':
        for match in _ESCAPE.finditer(text.whole, start, end):
            if match.group(1):
                message = "Halyard does not support the escape \\" + ("/" if match.group(1) == "/" else "TAB") + "."
                hint = "Write / without the backslash." if match.group(1) == "/" else "Write \\t."
                findings.add("yaml/escape", text.mark(match.start()), message, hint)
    elif header := _HEADER.match(text.whole, start):
        message = f"only a space and a comment are allowed after {node.style}."
        findings.add("yaml/syntax", text.mark(header.start(1)), message, "Start the string on the next line.")
