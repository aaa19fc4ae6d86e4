"""What libyaml accepts and SnakeYAML 1.31 refuses, or reads otherwise: found in the text beside its nodes.

Tabs where only blanks may stand, `"\\/"`, `|#`, a `?` in an unquoted text of flow style, `---` that begins a line of an
unquoted text, a byte order mark in the middle. Parses nothing on its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from halgit.yaml.parser import Node, Stream, find_content_start
from halgit.yaml.source_text import BREAKS, FindingCollector, Mark, SourceText

_TAB_IN_GAP: Final = re.compile(rf"#[^{BREAKS}]*|(\t)")
_TAB_IN_PLAIN: Final = re.compile(rf"[{BREAKS}] *(\t)")
_DASHES_IN_PLAIN: Final = re.compile(rf"[{BREAKS}](---)")
_ESCAPE: Final = re.compile(r"\\(?:([/\t])|.)", re.DOTALL)
_HEADER: Final = re.compile(rf"[|>][-+0-9]*([^-+0-9 {BREAKS}]| +[^ #{BREAKS}])")
_MIDDLE_MARK: Final = re.compile(rf"[{BREAKS}](\ufeff)")
_TAG_ALONE: Final = re.compile(r"(?:&\S+\s+)?!,")
_FLOW_KEY: Final = re.compile(r"(\?)")


def check_compatibility(text: SourceText, stream: Stream, faults: FindingCollector) -> None:
    """A fault for everything that libyaml took and SnakeYAML will not."""
    for match in _MIDDLE_MARK.finditer(text.whole):
        message = "a byte order mark (U+FEFF) stands in the middle of the text."
        faults.add("control-character", text.mark(match.start(1)), message, "Remove it.")
    at, last = 0, None
    for node, flow in _scalars(stream):
        begin = find_content_start(text.whole, node)
        _gap(text, at, begin, last, faults)
        if _TAG_ALONE.match(text.whole, node.start.index, begin + 1):
            faults.add("tag", node.start, "a ! stands before a comma.", "Quote it.")
        _scalar(text, node, begin, flow, faults)
        at, last = max(at, node.end.index), node
    if stream.problem is None and stream.too_deep is None:
        _gap(text, at, len(text.whole), last, faults)


def _scalars(stream: Stream) -> Iterator[tuple[Node, bool]]:
    """All scalars in the order of the text, each with whether it stands in flow style."""
    stack = [(root, False) for root in reversed(stream.roots)]
    while stack:
        node, flow = stack.pop()
        if node.kind == "scalar":
            yield node, flow
        stack += [(item, flow or node.flow) for item in reversed(node.items)]


def _gap(text: SourceText, start: int, end: int, last: Node | None, faults: FindingCollector) -> None:
    """Between two scalars: blanks, comments and indicators. After an unquoted text tabs are let through."""
    if text.whole.find("\t", start, end) < 0:
        return
    if last is not None and last.style == "" and last.text:
        while start < end and text.whole[start] in " \t":
            start += 1
    for match in _TAB_IN_GAP.finditer(text.whole, start, end):
        if match.group(1):
            _tab(text.mark(match.start()), text, faults)


def _tab(mark: Mark, text: SourceText, faults: FindingCollector) -> None:
    faults.add("tab", mark, describe_tab(text, mark), "Replace the tab by blanks.")


def describe_tab(text: SourceText, mark: Mark) -> str:
    """What is wrong with a tab at this place. Names what stands before it only where that is no value."""
    before = text.line(mark.line)[: mark.column - 1].split()
    named = bool(before) and (before[-1][-1] in ":-?,[]{}")
    where = "indents this line" if not before else f"follows {before[-1]!r}" if named else "follows a value"
    return f"a tab {where}; Halyard takes only blanks there."


def _scalar(text: SourceText, node: Node, start: int, flow: bool, faults: FindingCollector) -> None:
    end = node.end.index
    if node.style == "":
        for match in _TAB_IN_PLAIN.finditer(text.whole, start, end):
            _tab(text.mark(match.start(1)), text, faults)
        for match in _DASHES_IN_PLAIN.finditer(text.whole, start, end):
            message = "a line of an unquoted text begins with ---, which Halyard takes for a new document."
            faults.add("syntax", text.mark(match.start(1)), message, "Quote the text.")
        for match in _FLOW_KEY.finditer(text.whole, start, end) if flow else ():
            message = "a ? stands in an unquoted text inside [...] or {...}; Halyard takes it for a key."
            faults.add("syntax", text.mark(match.start()), message, "Quote the text.")
    elif node.style == '"':
        for match in _ESCAPE.finditer(text.whole, start, end):
            if match.group(1):
                message = "Halyard does not know the escape \\" + ("/" if match.group(1) == "/" else "TAB") + "."
                hint = "Write / alone." if match.group(1) == "/" else "Write \\t."
                faults.add("escape", text.mark(match.start()), message, hint)
    elif header := _HEADER.match(text.whole, start):
        message = f"after {node.style} stands something else than a blank and a comment."
        faults.add("syntax", text.mark(header.start(1)), message, "Begin the text on the next line.")
