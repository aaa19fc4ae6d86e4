"""The likely cause of a YAML parse error, in words a user can act on.

Each cause is one function over the position where the parser stopped; the first that recognizes the error reports it.
Errors of libyaml that SnakeYAML does not have are reported as limits of halgit. Findings name keys, never values,
because a value may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from halgit.annotations import Final
from halgit.lazy import lazy_pattern
from halgit.yaml.compatibility import describe_tab
from halgit.yaml.parser import Diagnosis, ParseFailure, Stream
from halgit.yaml.source_text import FindingCollector, SourceText

_CONFLICT: Final = lazy_pattern(r"^(?:<{7}|\|{7}|={7}|>{7})(?: .*)?$", re.MULTILINE)
_PROGRESS: Final = lazy_pattern(
    r"^[+!-] (?:Get|Edit|Set|Add|Delete|List|Validate|Generate|Apply|Prep|Run)\b.*$", re.MULTILINE
)
_TEMPLATE: Final = lazy_pattern(r"\{\{|\{%|<%")
_PLACEHOLDER: Final = lazy_pattern(
    r"\s*(?:- +)?(\$\{[^}]*\}|\$[A-Za-z_]\w*|<[A-Za-z][\w .-]*>|@[A-Z_]+@|[A-Z]+(?:_[A-Z]+)+):?\s*(?:#.*)?"
)
_NO_SPACE: Final = lazy_pattern(r"\s*(?:- +)*([A-Za-z_][\w.-]*):(?!//)[^\s:].*")
_NO_SPACE_AFTER_DASH: Final = lazy_pattern(r"\s*-[^\s-].*")


def diagnose(text: SourceText, stream: Stream, findings: FindingCollector) -> None:
    """Report the parse error, unless another finding already covers it."""
    stop = ParseFailure.from_stream(text, stream)
    conflicts = [match for match in _CONFLICT.finditer(text.whole) if match.group().startswith("<")]
    if conflicts:
        for match in conflicts:
            hint = "Resolve it, and delete the lines that begin with <<<<<<<, ======= and >>>>>>>."
            findings.add("yaml/conflict", text.mark(match.start()), "an unresolved merge conflict begins here.", hint)
        return
    if findings.has_finding(stop.mark.line, ("yaml/template", "yaml/tab", "yaml/control-character")):
        return
    cause = next((cause for look in _CAUSES if (cause := look(stop))), None) or _unknown(stop)
    findings.add(cause.rule, cause.mark, cause.message, cause.hint)


def _progress(stop: ParseFailure) -> Diagnosis | None:
    for match in _PROGRESS.finditer(stop.text.whole, 0, stop.end_of_line()):
        message = "a progress line of hal was saved with the file."
        hint = "Delete such lines, or save the output again without them (hal --color false --quiet)."
        return Diagnosis("yaml/terminal", stop.text.mark(match.start()), message, hint)
    return None


def _template(stop: ParseFailure) -> Diagnosis | None:
    for number in stop.lines():
        if match := _TEMPLATE.search(stop.text.line(number)):
            kind = match.group()
            message = f"the file contains a template that was not rendered ({kind} ... {_CLOSING[kind]})."
            hint = "Render the template before halgit reads the file, or quote the whole value."
            return Diagnosis("yaml/template", stop.position(number, match.start() + 1), message, hint)
    return None


_CLOSING: Final = {"{{": "}}", "{%": "%}", "<%": "%>"}


def _tab(stop: ParseFailure) -> Diagnosis | None:
    here = stop.text.whole[stop.mark.index : stop.mark.index + 1]
    if here != "\t" and "tab character" not in stop.problem:
        return None
    column = stop.mark.column if here == "\t" else stop.text.line(stop.mark.line).find("\t") + 1 or stop.mark.column
    mark = stop.position(stop.mark.line, column)
    return Diagnosis("yaml/tab", mark, describe_tab(stop.text, mark), "Replace the tab with spaces.")


def _placeholder(stop: ParseFailure) -> Diagnosis | None:
    for number in stop.lines():
        line = stop.text.line(number)
        if match := _PLACEHOLDER.fullmatch(line):
            message = f"the placeholder {match.group(1)} was not replaced."
            hint = "Replace it with the entry, or delete the line."
            return Diagnosis("yaml/placeholder", stop.position(number, match.start(1) + 1), message, hint)
    return None


def _missing_space(stop: ParseFailure) -> Diagnosis | None:
    if "expected ':'" in stop.problem:
        lines = [stop.context_start.line] if stop.context_start else []
    elif "mapping values are not allowed" in stop.problem:
        lines = [stop.find_line_above()]
    else:
        return None
    for number in lines:
        line = stop.text.line(number)
        if match := _NO_SPACE.fullmatch(line):
            message = f"there is no space after the colon of {match.group(1)}, so this line is not a key with a value."
            hint = f"Add a space after {match.group(1)}:"
            return Diagnosis("yaml/missing-space", stop.position(number, match.end(1) + 1), message, hint + ".")
        if _NO_SPACE_AFTER_DASH.fullmatch(line):
            message = "there is no space after the dash, so this line is not a list item."
            return Diagnosis(
                "yaml/missing-space", stop.position(number, line.index("-") + 1), message, "Add a space after the dash."
            )
    return None


# --- quotes and brackets ---------------------------------------------------------------------------------------


def _open_quote(stop: ParseFailure) -> Diagnosis | None:
    if "quoted scalar" not in stop.context or "end of stream" not in stop.problem or stop.context_start is None:
        return None
    if stop.text.whole[max(0, stop.context_start.index - 1) : stop.context_start.index] in {"'", '"'}:
        return Diagnosis(
            "yaml/quote",
            stop.context_start,
            "a doubled quote: the second one opens a string that is never closed.",
            _ONE_QUOTE,
        )
    hint = "Add the closing quote, or delete this one."
    return Diagnosis("yaml/quote", stop.context_start, "the quote that opens here is not closed.", hint)


_ONE_QUOTE: Final = "Delete the extra quote."


def _closed_quote(stop: ParseFailure) -> Diagnosis | None:
    """A quoted string is followed by more text."""
    last = stop.last
    if last is None or last.style not in {"'", '"'} or stop.text.whole[last.end.index : stop.mark.index].strip(" "):
        return None
    if last.start.line != last.end.line:
        message = f"the quoted string that begins here ends on line {last.end.line}."
        return Diagnosis("yaml/quote", last.start, message, "Add the closing quote, or delete an extra quote.")
    if not last.text:
        return Diagnosis("yaml/quote", last.start, "a doubled quote: the string ends where it begins.", _ONE_QUOTE)
    inside = "double it ('')" if last.style == "'" else 'write \\"'
    message = f"the quote {last.style} ends the string here, and more text follows."
    return Diagnosis(
        "yaml/quote",
        stop.position(last.end.line, last.end.column - 1),
        message,
        f"If the quote is part of the string, {inside}; otherwise delete a quote.",
    )


def _escape(stop: ParseFailure) -> Diagnosis | None:
    if "escape" not in stop.problem:
        return None
    escape = stop.text.whole[stop.mark.index : stop.mark.index + 2]
    escape = escape if escape[:1] == "\\" else stop.text.whole[max(0, stop.mark.index - 2) : stop.mark.index]
    if escape in {"\\u", "\\U"}:
        message = f"halgit cannot read the escape {escape} of half a surrogate pair; Halyard may."
        hint = "Write the character itself, or one \\U escape with eight digits."
        return Diagnosis("yaml/escape", stop.mark, message, hint)
    shown = f"{escape} is not an escape" if escape[:1] == "\\" else "this is not an escape"
    hint = "Write two backslashes, or use single quotes."
    return Diagnosis("yaml/escape", stop.mark, f"{shown} in double-quoted YAML strings.", hint)


def _bracket(stop: ParseFailure) -> Diagnosis | None:
    here = stop.text.whole[stop.mark.index : stop.mark.index + 1]
    if here in ("]", "}") and "flow" not in stop.context:
        return Diagnosis(
            "yaml/syntax", stop.mark, f"this {here} has no opening bracket.", "Delete it, or quote the value."
        )
    if "flow" not in stop.context or "did not find expected" not in stop.problem or stop.context_start is None:
        return None
    if "flow node" in stop.context:
        return _unclosed(stop)
    opening, what = ("[", "list") if "sequence" in stop.context else ("{", "mapping")
    where = "here" if stop.context_start.line == stop.mark.line else f"on line {stop.context_start.line}"
    message = f"the {what} opened by {opening} {where} is not closed, or a comma is missing."
    return Diagnosis("yaml/syntax", stop.mark, message, f"Add the comma or the {_CLOSER[opening]}, or quote the value.")


_CLOSER: Final = {"[": "]", "{": "}"}
_BRACKETS: Final = lazy_pattern(r"""(?:(?<=[\s\[{,])|^)(?:"(?:\\.|[^"\\])*"|'[^']*'|#[^\n]*)|[\[\]{}]""")


def _unclosed(stop: ParseFailure) -> Diagnosis | None:
    """A bracket after which the file ends; reported where it opened."""
    opened = []
    for match in _BRACKETS.finditer(stop.text.whole, 0, stop.mark.index):
        if match.group() in _CLOSER:
            opened.append(match)
        elif match.group() in _CLOSER.values() and opened:
            opened.pop()
    if not opened:
        return None
    bracket = opened[-1].group()
    message = f"the {'list' if bracket == '[' else 'mapping'} opened by {bracket} here is not closed."
    return Diagnosis(
        "yaml/syntax", stop.text.mark(opened[-1].start()), message, f"Add the {_CLOSER[bracket]}, or quote the value."
    )


# --- invalid values -----------------------------------------------------------------------------------


def _first_character(stop: ParseFailure) -> Diagnosis | None:
    here = stop.text.whole[stop.mark.index : stop.mark.index + 1]
    if "alphabetic or numeric" in stop.problem and stop.context_start is not None:
        here = stop.text.whole[stop.context_start.index : stop.context_start.index + 1]
        what = "an alias" if here == "*" else "an anchor"
        message = f"a value that begins with {here} is {what}, and its name is missing."
        return Diagnosis("yaml/syntax", stop.context_start, message, "Quote the whole value.")
    if "cannot start any token" in stop.problem:
        message = f"a value cannot begin with {here} unless it is quoted."
        return Diagnosis("yaml/syntax", stop.mark, message, "Quote the whole value.")
    if "block scalar" in stop.context and "comment or line break" in stop.problem and stop.context_start is not None:
        here = stop.text.whole[stop.context_start.index : stop.context_start.index + 1]
        message = f"a value cannot begin with {here} unless it is quoted: {here} starts a block of text."
        hint = "Quote the whole value, or start the text on the next line."
        return Diagnosis("yaml/syntax", stop.context_start, message, hint)
    if here and (_LEADING.get(here, "\0") in stop.problem):
        shown = here if here == "," else f"{here} and a space"
        message = f"a value cannot begin with {shown} unless it is quoted."
        hint = "Quote the whole value, or start the item on the next line." if here == "-" else "Quote the whole value."
        return Diagnosis("yaml/syntax", stop.mark, message, hint)
    return None


_LEADING: Final = {
    "-": "block sequence entries are not allowed",
    "?": "mapping keys are not allowed",
    ",": "did not find expected node content",
}
"""Characters that begin something else than a value, with libyaml's complaint."""


def _after_bracket(stop: ParseFailure) -> Diagnosis | None:
    """A closed list or mapping in flow style is followed by more text."""
    before = stop.text.line(stop.mark.line)[: stop.mark.column - 1].rstrip()
    if "did not find expected key" not in stop.problem or not before.endswith(("]", "}")):
        return None
    message = f"the {before[-1]} ends the value here, and more text follows."
    mark = stop.position(stop.mark.line, len(before))
    return Diagnosis("yaml/syntax", mark, message, "Quote the whole value, or delete the rest of the line.")


def _second_colon(stop: ParseFailure) -> Diagnosis | None:
    before = stop.text.line(stop.mark.line)[: stop.mark.column - 1]
    if "mapping values are not allowed" in stop.problem and re.search(r":\s", before):
        message = "this line has a second colon followed by a space."
        return Diagnosis("yaml/syntax", stop.mark, message, "Quote the value, or start a new line.")
    return None


def _our_own_limit(stop: ParseFailure) -> Diagnosis | None:
    """Syntax that libyaml rejects and SnakeYAML accepts."""
    if "unknown directive" in stop.problem:
        message = "halgit cannot read a line that begins with % and is not %YAML or %TAG; Halyard ignores it."
        return Diagnosis("yaml/syntax", stop.position(stop.mark.line, 1), message, "Delete the line.")
    if "indentation space is expected" in stop.problem:
        message = "halgit cannot read tabs that indent the lines below | or >; Halyard may."
        return Diagnosis("yaml/tab", stop.mark, message, "Indent them with spaces.")
    if "unexpected ':'" in stop.problem:
        message = "halgit cannot read a colon directly before a comma or bracket; Halyard may."
        return Diagnosis("yaml/syntax", stop.mark, message, "Add a space after the colon, or quote the string.")
    return None


def _no_key(stop: ParseFailure) -> Diagnosis | None:
    if "expected ':'" in stop.problem and stop.context_start is not None:
        message = "expected a key with a value, got a line without a colon."
        return Diagnosis("yaml/syntax", stop.context_start, message, "Add the key, or delete the line.")
    return None


def _unknown(stop: ParseFailure) -> Diagnosis:
    hint = "Correct this line or the line above."
    return Diagnosis("yaml/syntax", stop.mark, f"invalid YAML: {stop.problem}.", hint)


def _indentation(stop: ParseFailure) -> Iterator[Diagnosis | None]:
    columns = find_columns(stop)
    yield diagnose_lost_parent(stop)
    yield diagnose_stray_space(stop)
    yield diagnose_wrong_column(stop, columns)


def _indent(stop: ParseFailure) -> Diagnosis | None:
    return next((cause for cause in _indentation(stop) if cause), None)


_CAUSES: Final[tuple[Callable[[ParseFailure], Diagnosis | None], ...]] = (
    _progress,
    _our_own_limit,
    _escape,
    _template,
    _tab,
    _placeholder,
    _missing_space,
    _open_quote,
    _closed_quote,
    _bracket,
    _first_character,
    _after_bracket,
    _second_colon,
    _indent,
    _no_key,
)


_KEY: Final = lazy_pattern(r"\s*(?:- +)*(?:\"([^\"]*)\"|'([^']*)'|([^\s#\"'\[{][^:#]*)):(?:\s|$)")
_EMPTY: Final = lazy_pattern(r"\s*(?:- +)*([\w.-]+):\s*(?:\[\]|\{\})\s*(?:#.*)?")
_ITEM: Final = lazy_pattern(r" *-(?:\s|$)")
_BEGINS: Final = lazy_pattern(r" *((?:- +)*)")


def count_indentation(line: str) -> int:
    """Return the number of leading spaces of a line."""
    return len(line) - len(line.lstrip(" "))


def find_columns(stop: ParseFailure) -> tuple[set[int], set[int]]:
    """Return the columns, counted from 1, in which items and keys above the error begin."""
    items: set[int] = set()
    keys: set[int] = set()
    number, least = stop.find_line_above(), 1 << 30
    while number:
        line = stop.text.line(number)
        if count_indentation(line) < least:
            least = count_indentation(line)
            dashes = [at for at, char in enumerate(_dashes(line)) if char == "-"]
            items.update(at + 1 for at in dashes)
            keys.add(len(_dashes(line)) + 1)
        number = stop.find_line_above(number)
    return items, keys


def _dashes(line: str) -> str:
    found = _BEGINS.match(line)
    return found.group() if found else ""


def diagnose_lost_parent(stop: ParseFailure) -> Diagnosis | None:
    """Diagnose lines indented below a key such as `accounts: []`, which already has a value."""
    line, above = stop.text.line(stop.mark.line), stop.text.line(stop.find_line_above())
    match = _EMPTY.fullmatch(above)
    if not match or count_indentation(line) <= count_indentation(above):
        return None
    where = f"{match.group(1)} (line {stop.find_line_above()})"
    message = f"this line is indented below {where}, which already has an empty value."
    hint = "Restore the missing parent line, or delete the [] or {}."
    return Diagnosis("yaml/parent", stop.position(stop.mark.line, count_indentation(line) + 1), message, hint)


def diagnose_stray_space(stop: ParseFailure) -> Diagnosis | None:
    """Diagnose an extra space before a key of the root mapping."""
    line = stop.text.line(stop.mark.line)
    first = next((number for number in range(1, stop.mark.line) if _is_content(stop.text.line(number))), 0)
    start = count_indentation(stop.text.line(first)) if first else 0
    if "<document start>" in stop.problem and start > count_indentation(line):
        message = f"the first key is indented by {start} spaces, but the key on line {stop.mark.line} is not."
        return Diagnosis("yaml/indentation", stop.position(first, 1), message, "Delete the spaces before it.")
    key = _KEY.match(line)
    if key and first and count_indentation(line) == 1 and start == 0 and not _ITEM.match(line):
        message = f"an extra space before {_name(key)} makes its indentation invalid."
        return Diagnosis("yaml/indentation", stop.position(stop.mark.line, 1), message, "Delete the space.")
    return None


def _is_content(line: str) -> bool:
    words = line.strip()
    return bool(words) and words[0] not in "#%" and words != "---"


def _name(key: re.Match[str]) -> str:
    return f"the key {(key.group(1) or key.group(2) or key.group(3) or '').strip()}"


def diagnose_wrong_column(stop: ParseFailure, columns: tuple[set[int], set[int]]) -> Diagnosis | None:
    """Diagnose a line that begins in a column where no line above begins."""
    line = stop.text.line(stop.mark.line)
    item, key = _ITEM.match(line), _KEY.match(line)
    if not (item or key) or not stop.find_line_above():
        return None
    column = count_indentation(line) + 1
    fitting = columns[0] or columns[1] if item else columns[1]
    what = "this item" if item or key is None else _name(key)
    if column in fitting:
        return None
    mark = stop.position(stop.mark.line, column)
    near = next((one for one in sorted(fitting, reverse=True) if abs(one - column) == 1), None)
    if near:
        message = f"{what} is indented one column too {'far' if near < column else 'little'}."
        return Diagnosis("yaml/indentation", mark, message, f"Move it to column {near}, like its neighbors.")
    where = f"column{'s' if len(fitting) > 1 else ''} {' and '.join(str(one) for one in sorted(fitting))}"
    message = f"{what} begins in column {column}. Expected indentation: {where}."
    hint = "Indent it like its neighbors, or restore the missing parent line."
    return Diagnosis("yaml/indentation", mark, message, hint)
