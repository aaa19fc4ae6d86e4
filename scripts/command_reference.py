"""Print docs/commands.md: every command with its usage, description and options by group. Run by `make docs`."""

from __future__ import annotations

import inspect
import re

import click

from halgit.cli.declarations import COMMON, GENERAL
from halgit.cli.help import EXIT_CODES, walk_commands
from halgit.cli.program import program

HEAD = """\
# Commands

Every option is also read from a variable: `HALGIT_` and its name in upper case, such as `HALGIT_GIT_TOKEN_FILE`. Lists
are separated by newlines. `halgit help environment` lists all variables. `make docs` generates this page from the code.
"""


def cell(text: str) -> str:
    """Format a text for a table cell."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;")


def describe(command: click.Command) -> list[str]:
    """Return the paragraphs of a command's help; its examples become a block."""
    text, marker, examples = inspect.cleandoc(command.help or "").partition("\b\n")
    lines = [re.sub(r"(?<!\n)\n(?!\n)", " ", text.strip())]
    if marker:
        heading, _, block = examples.partition("\n")
        body = "\n".join(line.removeprefix("  ") for line in block.rstrip().split("\n"))
        lines += [heading.replace("Example:", "Example:"), f"```sh\n{body}\n```"]
    return lines


def options(command: click.Command, context: click.Context) -> list[str]:
    """Return a table of options for each group."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record:
            groups.setdefault(getattr(parameter, "group", GENERAL), []).append(record)
    groups[GENERAL] = groups.pop(GENERAL, [])
    lines = []
    for heading, records in groups.items():
        rows = [f"| `{names.replace('|', chr(92) + '|')}` | {cell(text)} |" for names, text in records]
        title = "" if heading == COMMON else f"**{heading}**\n\n"
        lines.append(f"{title}| option | meaning |\n|---|---|\n" + "\n".join(rows))
    return lines


def main() -> None:
    """Print the page."""
    top = click.Context(program, info_name="halgit", **program.context_settings)
    print(HEAD)
    print("## Exit codes\n\n| exit | meaning |\n|---|---|")
    print("\n".join(f"| {code} | {cell(text)} |" for code, text in EXIT_CODES.items()))
    for name, command in walk_commands(top):
        context = click.Context(command, info_name=f"halgit {name}")
        print(f"\n## halgit {name}\n")
        print("\n\n".join(describe(command)))
        if not isinstance(command, click.Group) or command.invoke_without_command:
            print(f"\n```text\n{' '.join(context.get_usage().split()).removeprefix('Usage: ')}\n```\n")
            print("\n\n".join(options(command, context)))


if __name__ == "__main__":
    main()
