"""Why a text does not parse, in words that name the likely cause rather than the parser's state.

Each cause is one function over the place where the parser stopped; the first that knows something speaks. What
libyaml refuses and SnakeYAML takes is told as halgit's own limit. Keys are named, values never: one may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from halgit.yaml.compatibility import describe_tab
from halgit.yaml.parser import Diagnosis, ParseFailure, Stream
from halgit.yaml.source_text import FindingCollector, SourceText

_CONFLICT: Final = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?: .*)?$", re.MULTILINE)
_PROGRESS: Final = re.compile(
    r"^[+!-] (?:Get|Edit|Set|Add|Delete|List|Validate|Generate|Apply|Prep|Run)\b.*$", re.MULTILINE
)
_TEMPLATE: Final = re.compile(r"\{\{|\{%|<%")
_PLACEHOLDER: Final = re.compile(
    r"\s*(?:- +)?(\$\{[^}]*\}|\$[A-Za-z_]\w*|<[A-Za-z][\w .-]*>|@[A-Z_]+@|[A-Z]+(?:_[A-Z]+)+):?\s*(?:#.*)?"
)
_NO_BLANK: Final = re.compile(r"\s*(?:- +)*([A-Za-z_][\w.-]*):(?!//)[^\s:].*")
_NO_BLANK_AFTER_DASH: Final = re.compile(r"\s*-[^\s-].*")


def diagnose(text: SourceText, stream: Stream, faults: FindingCollector) -> None:
    """The fault, or faults, for what stopped the parser; none where another fault tells of it already."""
    stop = ParseFailure.of(text, stream)
    conflicts = [match for match in _CONFLICT.finditer(text.whole) if match.group().startswith("<")]
    if conflicts:
        for match in conflicts:
            hint = "Keep what is right of the two sides, and take out the lines <<<<<<<, ======= and >>>>>>>."
            faults.add(
                "conflict", text.mark(match.start()), "a merge conflict begins here, and was never resolved.", hint
            )
        return
    if faults.tells_of(stop.mark.line, ("template", "tab", "control-character")):
        return
    cause = next((cause for look in _CAUSES if (cause := look(stop))), None) or _unknown(stop)
    faults.add(cause.rule, cause.mark, cause.message, cause.hint)


def _progress(stop: ParseFailure) -> Diagnosis | None:
    for match in _PROGRESS.finditer(stop.text.whole, 0, stop.end_of_line()):
        message = "a line that tells of hal's progress was saved with the text."
        hint = "Take such lines out, or save it again without them (hal --color false --quiet)."
        return Diagnosis("terminal", stop.text.mark(match.start()), message, hint)
    return None


def _template(stop: ParseFailure) -> Diagnosis | None:
    for number in stop.lines():
        if match := _TEMPLATE.search(stop.text.line(number)):
            kind = match.group()
            message = f"a template stands here that was not filled in ({kind} ... {_CLOSING[kind]})."
            hint = "Fill in the template before halgit reads the file, or quote the whole value."
            return Diagnosis("template", stop.at(number, match.start() + 1), message, hint)
    return None


_CLOSING: Final = {"{{": "}}", "{%": "%}", "<%": "%>"}


def _tab(stop: ParseFailure) -> Diagnosis | None:
    here = stop.text.whole[stop.mark.index : stop.mark.index + 1]
    if here != "\t" and "tab character" not in stop.problem:
        return None
    column = stop.mark.column if here == "\t" else stop.text.line(stop.mark.line).find("\t") + 1 or stop.mark.column
    mark = stop.at(stop.mark.line, column)
    return Diagnosis("tab", mark, describe_tab(stop.text, mark), "Replace the tab by blanks.")


def _placeholder(stop: ParseFailure) -> Diagnosis | None:
    for number in stop.lines():
        line = stop.text.line(number)
        if match := _PLACEHOLDER.fullmatch(line):
            message = f"the placeholder {match.group(1)} stands for a whole entry, and was not filled in."
            hint = "Put the entry in its place, or take the line out."
            return Diagnosis("placeholder", stop.at(number, match.start(1) + 1), message, hint)
    return None


def _missing_blank(stop: ParseFailure) -> Diagnosis | None:
    if "expected ':'" in stop.problem:
        lines = [stop.began.line] if stop.began else []
    elif "mapping values are not allowed" in stop.problem:
        lines = [stop.above()]
    else:
        return None
    for number in lines:
        line = stop.text.line(number)
        if match := _NO_BLANK.fullmatch(line):
            message = f"the colon after {match.group(1)} has no blank behind it, so this is no key with a value."
            hint = f"Write a blank after {match.group(1)}:"
            return Diagnosis("missing-blank", stop.at(number, match.end(1) + 1), message, hint + ".")
        if _NO_BLANK_AFTER_DASH.fullmatch(line):
            message = "the dash has no blank behind it, so this is no item of the list."
            return Diagnosis(
                "missing-blank", stop.at(number, line.index("-") + 1), message, "Write a blank after the dash."
            )
    return None


# --- quotes and brackets ---------------------------------------------------------------------------------------


def _open_quote(stop: ParseFailure) -> Diagnosis | None:
    if "quoted scalar" not in stop.context or "end of stream" not in stop.problem or stop.began is None:
        return None
    if stop.text.whole[max(0, stop.began.index - 1) : stop.began.index] in {"'", '"'}:
        return Diagnosis(
            "quote", stop.began, "a doubled quote: the second one opens a text that nothing ends.", _ONE_QUOTE
        )
    hint = "Write the quote that ends the text, or take this one out."
    return Diagnosis("quote", stop.began, "the quote that opens here is never closed.", hint)


_ONE_QUOTE: Final = "Take out the quote too many."


def _closed_quote(stop: ParseFailure) -> Diagnosis | None:
    """A text in quotes ends, and something else follows at once."""
    last = stop.last
    if last is None or last.style not in {"'", '"'} or last.end.index != stop.mark.index:
        return None
    if last.start.line != last.end.line:
        message = f"the text in quotes that begins here ends only on line {last.end.line}."
        return Diagnosis("quote", last.start, message, "Write the quote that ends it, or take one too many out.")
    if not last.text:
        return Diagnosis("quote", last.start, "a doubled quote: the text ends where it begins.", _ONE_QUOTE)
    inside = "write it twice ('')" if last.style == "'" else 'write \\"'
    message = f"the quote {last.style} ends the text here, and more follows."
    return Diagnosis(
        "quote",
        stop.at(last.end.line, last.end.column - 1),
        message,
        f"Where it belongs to the text, {inside}; else take one quote out.",
    )


def _escape(stop: ParseFailure) -> Diagnosis | None:
    if "escape" not in stop.problem:
        return None
    escape = stop.text.whole[stop.mark.index : stop.mark.index + 2]
    escape = escape if escape[:1] == "\\" else stop.text.whole[max(0, stop.mark.index - 2) : stop.mark.index]
    if escape in {"\\u", "\\U"}:
        message = f"halgit cannot read this {escape} escape, which stands for half a character; Halyard may."
        return Diagnosis("escape", stop.mark, message, "Write the character itself, or one \\U escape of eight digits.")
    shown = f"{escape} is no escape" if escape[:1] == "\\" else "this is no escape"
    hint = "Write two backslashes, or use single quotes, where a backslash is itself."
    return Diagnosis("escape", stop.mark, f"{shown} that YAML knows in double quotes.", hint)


def _bracket(stop: ParseFailure) -> Diagnosis | None:
    here = stop.text.whole[stop.mark.index : stop.mark.index + 1]
    if here in ("]", "}") and "flow" not in stop.context:
        return Diagnosis("syntax", stop.mark, f"this {here} closes nothing.", "Take it out, or quote the value.")
    if "flow" not in stop.context or "did not find expected" not in stop.problem or stop.began is None:
        return None
    opening, what = ("[", "list") if "sequence" in stop.context else ("{", "mapping")
    where = "here" if stop.began.line == stop.mark.line else f"on line {stop.began.line}"
    message = f"the {what} that {opening} opens {where} is not closed, or a comma is missing before this."
    return Diagnosis("syntax", stop.mark, message, f"Write the comma or the {_CLOSER[opening]}, or quote the value.")


_CLOSER: Final = {"[": "]", "{": "}"}


# --- what a value may not be -----------------------------------------------------------------------------------


def _first_character(stop: ParseFailure) -> Diagnosis | None:
    here = stop.text.whole[stop.mark.index : stop.mark.index + 1]
    if "alphabetic or numeric" in stop.problem and stop.began is not None:
        here = stop.text.whole[stop.began.index : stop.began.index + 1]
        what = "an alias" if here == "*" else "an anchor"
        message = f"a {here} at the beginning makes this {what}, and no name follows."
        return Diagnosis("syntax", stop.began, message, "Quote the whole value.")
    if "cannot start any token" in stop.problem:
        message = f"a value cannot begin with {here} unless it is quoted."
        return Diagnosis("syntax", stop.mark, message, "Quote the whole value.")
    return None


def _second_colon(stop: ParseFailure) -> Diagnosis | None:
    before = stop.text.line(stop.mark.line)[: stop.mark.column - 1]
    if "mapping values are not allowed" in stop.problem and re.search(r":\s", before):
        message = "a second colon with a blank behind it stands on this line."
        return Diagnosis("syntax", stop.mark, message, "Quote the value, or begin a new line.")
    return None


def _our_own_limit(stop: ParseFailure) -> Diagnosis | None:
    """What libyaml refuses and SnakeYAML takes."""
    if "unknown directive" in stop.problem:
        message = "halgit cannot read a line that begins with % and is not %YAML or %TAG; Halyard passes over it."
        return Diagnosis("syntax", stop.at(stop.mark.line, 1), message, "Take the line out.")
    if "indentation space is expected" in stop.problem:
        message = "halgit cannot read a tab that indents the lines below | or >; Halyard may."
        return Diagnosis("tab", stop.mark, message, "Indent them by blanks.")
    if "unexpected ':'" in stop.problem:
        message = "halgit cannot read a colon without a blank before a comma or bracket; Halyard may."
        return Diagnosis("syntax", stop.mark, message, "Write a blank after the colon, or quote the text.")
    return None


def _no_key(stop: ParseFailure) -> Diagnosis | None:
    if "expected ':'" in stop.problem and stop.began is not None:
        message = "this line has no colon, and stands where a key with its value belongs."
        return Diagnosis("syntax", stop.began, message, "Write the key, or take the line out.")
    return None


def _unknown(stop: ParseFailure) -> Diagnosis:
    hint = "Correct this line, or the one above."
    return Diagnosis("syntax", stop.mark, f"the text cannot be read on from here: {stop.problem}.", hint)


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
    _template,
    _tab,
    _placeholder,
    _missing_blank,
    _open_quote,
    _escape,
    _closed_quote,
    _bracket,
    _first_character,
    _second_colon,
    _indent,
    _no_key,
)


_KEY: Final = re.compile(r"\s*(?:- +)*(?:\"([^\"]*)\"|'([^']*)'|([^\s#\"'\[{][^:#]*)):(?:\s|$)")
_EMPTY: Final = re.compile(r"\s*(?:- +)*([\w.-]+):\s*(?:\[\]|\{\})\s*(?:#.*)?")
_ITEM: Final = re.compile(r" *-(?:\s|$)")
_BEGINS: Final = re.compile(r" *((?:- +)*)")


def count_indentation(line: str) -> int:
    """How many blanks a line begins with."""
    return len(line) - len(line.lstrip(" "))


def find_columns(stop: ParseFailure) -> tuple[set[int], set[int]]:
    """The columns at which lines above begin that this line could go on: of items, and of keys."""
    items: set[int] = set()
    keys: set[int] = set()
    number, least = stop.above(), 1 << 30
    while number:
        line = stop.text.line(number)
        if count_indentation(line) < least:
            least = count_indentation(line)
            dashes = [at for at, char in enumerate(_dashes(line)) if char == "-"]
            items.update(at + 1 for at in dashes)
            keys.add(len(_dashes(line)) + 1)
        number = stop.above(number)
    return items, keys


def _dashes(line: str) -> str:
    found = _BEGINS.match(line)
    return found.group() if found else ""


def diagnose_lost_parent(stop: ParseFailure) -> Diagnosis | None:
    """Lines indented below `accounts: []`, which has its value already."""
    line, above = stop.text.line(stop.mark.line), stop.text.line(stop.above())
    match = _EMPTY.fullmatch(above)
    if not match or count_indentation(line) <= count_indentation(above):
        return None
    message = f"this line is indented below {match.group(1)} (line {stop.above()}), which is empty already."
    hint = "Put back the line of its parent, which was lost, or take the [] or {} out."
    return Diagnosis("parent", stop.at(stop.mark.line, count_indentation(line) + 1), message, hint)


def diagnose_stray_space(stop: ParseFailure) -> Diagnosis | None:
    """A blank before a key that belongs to the root."""
    line = stop.text.line(stop.mark.line)
    first = next((number for number in range(1, stop.mark.line) if _is_content(stop.text.line(number))), 0)
    start = count_indentation(stop.text.line(first)) if first else 0
    if "<document start>" in stop.problem and start > count_indentation(line):
        message = f"the first key is indented by {start}, and the one on line {stop.mark.line} is not."
        return Diagnosis("indentation", stop.at(first, 1), message, "Take out the blanks before it.")
    key = _KEY.match(line)
    if key and first and count_indentation(line) == 1 and start == 0 and not _ITEM.match(line):
        message = f"a stray blank stands before {_name(key)}, and it is neither beside nor below the key above."
        return Diagnosis("indentation", stop.at(stop.mark.line, 1), message, "Take the blank out.")
    return None


def _is_content(line: str) -> bool:
    words = line.strip()
    return bool(words) and words[0] not in "#%" and words != "---"


def _name(key: re.Match[str]) -> str:
    return f"the key {(key.group(1) or key.group(2) or key.group(3) or '').strip()}"


def diagnose_wrong_column(stop: ParseFailure, columns: tuple[set[int], set[int]]) -> Diagnosis | None:
    """A line that begins in a column in which nothing above it begins."""
    line = stop.text.line(stop.mark.line)
    item, key = _ITEM.match(line), _KEY.match(line)
    if not (item or key) or not stop.above():
        return None
    column = count_indentation(line) + 1
    fitting = columns[0] or columns[1] if item else columns[1]
    what = "this item" if item or key is None else _name(key)
    if column in fitting:
        return None
    mark = stop.at(stop.mark.line, column)
    near = next((one for one in sorted(fitting, reverse=True) if abs(one - column) == 1), None)
    if near:
        message = f"{what} begins one column too far to the {'right' if near < column else 'left'}."
        return Diagnosis("indentation", mark, message, f"Move it to column {near}, where its neighbours begin.")
    where = f"column{'s' if len(fitting) > 1 else ''} {' and '.join(str(one) for one in sorted(fitting))}"
    message = f"{what} begins in column {column}; what stands above, and it could go on, begins in {where}."
    hint = "Indent it as its neighbours, or put back the line of its parent."
    return Diagnosis("indentation", mark, message, hint)
