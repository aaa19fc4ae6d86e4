"""Findings of the YAML reader: files that do not parse, or that their reader would refuse."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="yaml/alias",
        severity=Severity.ERROR,
        fatal=True,
        summary="An alias has no anchor, or is inside the value it refers to.",
        halyard="Halyard's parser stops at an alias that is not defined before it.",
        impact="The file cannot be read.",
        fix="Define the anchor above the alias, write the value out, or quote a value that begins with `*`.",
        example="""\
# config
deploymentConfigurations: *missing
""",
    ),
    Entry(
        id="yaml/alias-limit",
        severity=Severity.ERROR,
        fatal=True,
        summary="More than 50 aliases refer to mappings or lists.",
        halyard=(
            "SnakeYAML 1.31 refuses a document with more than 50 such aliases. Spring Boot lifts this limit for "
            "profiles; halgit limits only the size of the expanded document there."
        ),
        impact="Halyard cannot read the file.",
        fix="Write values out, or use fewer aliases.",
    ),
    Entry(
        id="yaml/conflict",
        severity=Severity.ERROR,
        fatal=True,
        summary="A merge conflict is unresolved.",
        halyard="The conflict markers are not YAML.",
        impact="The file cannot be read.",
        fix="Keep the right side and remove the lines `<<<<<<<`, `=======` and `>>>>>>>`.",
        example="""\
# default/profiles/gate-local.yml
<<<<<<< HEAD
server: {port: 8084}
=======
server: {port: 8085}
>>>>>>> change
""",
    ),
    Entry(
        id="yaml/control-character",
        severity=Severity.ERROR,
        fatal=True,
        summary="The file contains a character that YAML does not allow.",
        halyard="SnakeYAML stops at the character.",
        impact="The file cannot be read.",
        fix="Remove the character.",
    ),
    Entry(
        id="yaml/depth",
        severity=Severity.ERROR,
        fatal=True,
        summary="Mappings and lists are nested more than 50 levels deep.",
        halyard="SnakeYAML 1.31 refuses deeper documents.",
        impact="The file cannot be read.",
        fix="Reduce the nesting.",
    ),
    Entry(
        id="yaml/size",
        severity=Severity.ERROR,
        fatal=True,
        summary="The file has too many values, or parameters make it too large.",
        halyard="Halyard reads files of any size, in time and memory that grow with them.",
        impact="The file cannot be read.",
        fix="Split the file, or use smaller values.",
    ),
    Entry(
        id="yaml/documents",
        severity=Severity.ERROR,
        fatal=True,
        summary="The file has several YAML documents where only one is allowed.",
        halyard="Halyard reads one document from `config` and from service-settings and fails on a second one.",
        impact="The file cannot be read.",
        fix="Keep one document in the file.",
        example="""\
# default/service-settings/gate.yml
artifactId: example/gate:1
---
artifactId: example/gate:2
""",
    ),
    Entry(
        id="yaml/duplicate-key",
        severity=Severity.ERROR,
        summary="A mapping has the same key twice.",
        halyard=(
            "Halyard keeps the last value (`config`, service-settings: a warning). Spring Boot does not start with "
            "such a profile or account file (an error)."
        ),
        impact="One of the values has no effect, or the service does not start.",
        fix="Keep one of the two keys.",
        example="""\
# default/profiles/gate-local.yml
server:
  port: 8084
  port: 8085
""",
    ),
    Entry(
        id="yaml/encoding",
        severity=Severity.ERROR,
        fatal=True,
        summary="The file is not UTF-8.",
        halyard="Halyard reads files as UTF-8.",
        impact="The file cannot be read.",
        fix="Save the file as UTF-8.",
    ),
    Entry(
        id="yaml/escape",
        severity=Severity.ERROR,
        fatal=True,
        summary="A double-quoted string contains an escape that YAML does not know.",
        halyard="SnakeYAML stops at the escape.",
        impact="The file cannot be read.",
        fix="Use single quotes, or double the backslash.",
        example="""\
# default/profiles/gate-local.yml
pattern: "\\d+"
""",
    ),
    Entry(
        id="yaml/indentation",
        severity=Severity.ERROR,
        fatal=True,
        summary="The indentation of a line is wrong.",
        halyard="SnakeYAML stops at the line.",
        impact="The file cannot be read.",
        fix="Align the line with its neighbors.",
        example="""\
# default/profiles/gate-local.yml
server:
    port: 8084
  address: 0.0.0.0
""",
    ),
    Entry(
        id="yaml/key",
        severity=Severity.ERROR,
        fatal=True,
        summary="A key is a mapping or list, or has no string form.",
        halyard="Halyard and Spring need string keys.",
        impact="The file cannot be read.",
        fix="Use a string as the key.",
        example="""\
# default/profiles/gate-local.yml
? [a, b]
: value
""",
    ),
    Entry(
        id="yaml/merge-key",
        severity=Severity.ERROR,
        fatal=True,
        summary="The value of `<<` is not a mapping or a list of mappings.",
        halyard="SnakeYAML refuses the merge key.",
        impact="The file cannot be read.",
        fix="Correct the value, or quote the key: '<<'.",
        example="""\
# default/profiles/gate-local.yml
server:
  <<: text
""",
    ),
    Entry(
        id="yaml/missing-space",
        severity=Severity.ERROR,
        fatal=True,
        summary="The space after a colon or dash is missing.",
        halyard="SnakeYAML reads the line as a plain string and stops at the next one.",
        impact="The file cannot be read.",
        fix="Add the space.",
        example="""\
# default/profiles/gate-local.yml
server:
  port:8084
  address: 0.0.0.0
""",
    ),
    Entry(
        id="yaml/number",
        severity=Severity.ERROR,
        fatal=True,
        summary="A value has the form of a YAML number that Java cannot parse.",
        halyard="SnakeYAML ends with a NumberFormatException.",
        impact="The file cannot be read.",
        fix="Put the value in quotes.",
        example="""\
# default/profiles/gate-local.yml
value: ._
""",
    ),
    Entry(
        id="yaml/parent",
        severity=Severity.ERROR,
        fatal=True,
        summary="Indented lines follow a line that cannot have children.",
        halyard="SnakeYAML stops at the first of them.",
        impact="The file cannot be read.",
        fix="Add the missing parent key, or correct the indentation.",
        example="""\
# default/profiles/gate-local.yml
hosts: []
  - gate.example.com
""",
    ),
    Entry(
        id="yaml/placeholder",
        severity=Severity.ERROR,
        fatal=True,
        summary="A whole line is a placeholder that was not filled in.",
        halyard="The line is not YAML.",
        impact="The file cannot be read.",
        fix="Fill in or remove the placeholder.",
        example="""\
# default/profiles/gate-local.yml
server:
  port: 8084
MORE_SETTINGS
""",
    ),
    Entry(
        id="yaml/quote",
        severity=Severity.ERROR,
        fatal=True,
        summary="A quote is missing, or there is one too many.",
        halyard="SnakeYAML reads on to the next quote or to the end of the file.",
        impact="The file cannot be read.",
        fix="Add or remove the quote.",
        example="""\
# default/profiles/gate-local.yml
name: "gate
port: 8084
""",
    ),
    Entry(
        id="yaml/syntax",
        severity=Severity.ERROR,
        fatal=True,
        summary="The file is not YAML, or not the YAML that its reader accepts.",
        halyard="SnakeYAML stops at the reported place.",
        impact="The file cannot be read.",
        fix="Correct the line; the message says what is expected.",
        example="""\
# default/profiles/gate-local.yml
key: value: other
""",
    ),
    Entry(
        id="yaml/tab",
        severity=Severity.ERROR,
        fatal=True,
        summary="A tab is used for indentation.",
        halyard="YAML allows only spaces for indentation.",
        impact="The file cannot be read.",
        fix="Replace the tab with spaces.",
    ),
    Entry(
        id="yaml/tag",
        severity=Severity.ERROR,
        fatal=True,
        summary="A tag is unknown, or does not fit its value.",
        halyard="SnakeYAML constructs only standard tags.",
        impact="The file cannot be read.",
        fix="Remove the tag.",
        example="""\
# default/profiles/gate-local.yml
value: !custom text
""",
    ),
    Entry(
        id="yaml/template",
        severity=Severity.ERROR,
        fatal=True,
        summary="The file contains template syntax (Helm, Jinja, ERB) that was not rendered.",
        halyard="Braces and percent signs of the template are not YAML.",
        impact="The file cannot be read.",
        fix="Render the template first, or quote the value.",
        example="""\
# default/profiles/gate-local.yml
{{- if .Values.gate }}
server: {port: 8084}
""",
    ),
    Entry(
        id="yaml/terminal",
        severity=Severity.ERROR,
        fatal=True,
        summary="Terminal colors or progress lines of `hal` were saved with the file.",
        halyard="The lines are not YAML.",
        impact="The file cannot be read.",
        fix="Remove the lines, or save the output again with `hal --color false --quiet`.",
        example="""\
# default/profiles/gate-local.yml
+ Get current deployment
  Success
server: {port: 8084}
""",
    ),
)
