"""`halgit help` and `halgit completion`: a command's help, the exit codes, the environment, scripts for shells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from halgit.cli.commands import Command
from halgit.cli.options import log_options
from halgit.cli.output import Output
from halgit.errors import UsageError
from halgit.report.tables import Layout, table

EXIT_CODES: Final = {
    "0": "Success. `diff` exits 0 if trees differ, unless --exit-code is set.",
    "1": "Findings at or above --fail-on; or --check, --exit-code found a difference.",
    "2": "Usage error: an option, a name or a combination is invalid.",
    "3": "Source unavailable: unreachable, permission denied, ref or path not found, signature, --locked.",
    "4": "Secret unavailable.",
    "5": "The tree is not writable, is in use, or was not written by halgit.",
    "6": "An account change conflicts with another one, or is refused.",
    "7": "sync: Halyard refused the deployment, or it failed.",
    "70": "A bug in halgit. Please report it with the trace.",
    "128+n": "Stopped by signal n, such as 130 for Ctrl-C.",
}
_ENVIRONMENT: Final = {
    "HALGIT_PARAM_NAME": "Value of the parameter `name`, in upper snake case. HALGIT_PARAM_NAME_FILE names a file.",
    "HALGIT_GIT_TOKEN": "Token for git over https; HALGIT_GIT_USER its user.",
    "HALGIT_TERMINATION_FILE": "File that gets the reason of a failure. Default: /dev/termination-log.",
    "NO_COLOR, FORCE_COLOR": "Turn colors off or on.",
    "COLUMNS": "Width of tables on a terminal.",
    "HTTPS_PROXY, NO_PROXY": "Proxies, in upper or lower case.",
    "AWS_*": "Login and region of S3 and AWS Secrets Manager.",
    "VAULT_ADDR, VAULT_TOKEN": "Address and login of Vault; BAO_ADDR and BAO_TOKEN for OpenBao.",
    "GOOGLE_APPLICATION_CREDENTIALS": "Login of Google Cloud.",
    "KUBECONFIG": "Login of Kubernetes outside a pod.",
}
TOPICS: Final = ("exit-codes", "environment")
SHELLS: Final = ("bash", "zsh", "fish")


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    assert ctx.parent is not None
    assert isinstance(ctx.parent.command, click.Group)
    names = (*TOPICS, *ctx.parent.command.list_commands(ctx))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command("help", cls=Command)
@click.argument("topic", nargs=-1, metavar="[COMMAND | exit-codes | environment]", shell_complete=_complete)
@log_options
@click.pass_context
def help_(context: click.Context, /, topic: tuple[str, ...], **options: Any) -> None:
    """Show the help of a command, the exit codes, or the environment variables.

    \b
    Examples:
      halgit help render
      halgit help exit-codes
      halgit help environment
    """
    output: Output = context.obj
    assert context.parent is not None
    if topic == ("exit-codes",):
        output.result(table(["exit", "meaning"], [list(row) for row in EXIT_CODES.items()], layout=output.layout()))
    elif topic == ("environment",):
        output.result(_environment(context.parent, output.layout()))
    else:
        output.result(_command_help(context.parent, topic))


def _command_help(program: click.Context, names: tuple[str, ...]) -> str:
    context = program
    for name in names:
        command = context.command
        if not isinstance(command, click.Group):
            raise UsageError(f"{context.command_path} has no command {name}.", "")
        _, found, _ = command.resolve_command(context, [name])
        assert found is not None
        context = click.Context(found, info_name=name, parent=context, **program.command.context_settings)
    return context.get_help()


def _environment(program: click.Context, layout: Layout) -> str:
    rows = [[f"{variable}", option] for variable, option in _variables(program)]
    text = "Every option is also read from a variable. Lists are separated by newlines.\n\n"
    text += table(["variable", "option of"], rows, layout=layout)
    others = [list(row) for row in _ENVIRONMENT.items()]
    return f"{text}\n\nOther variables:\n\n{table(['variable', 'meaning'], others, layout=layout)}"


def _variables(program: click.Context) -> list[tuple[str, str]]:
    """Return every variable with the option and the commands that read it."""
    found: dict[str, tuple[str, list[str]]] = {}
    total = 0
    for name, command in walk_commands(program):
        if isinstance(command, click.Group) and not command.params:
            continue
        total += 1
        for parameter in command.params:
            if isinstance(parameter, click.Option) and isinstance(parameter.envvar, str):
                found.setdefault(parameter.envvar, (parameter.opts[-1], []))[1].append(name)
    rows = []
    for variable, (option, commands) in sorted(found.items()):
        where = "all commands" if len(commands) == total else _join_by_group(commands)
        rows.append((variable, f"{option}: {where}"))
    return rows


def _join_by_group(commands: list[str]) -> str:
    """Return names of commands with those of one group together: `render, sync, sync (status)`."""
    inner: dict[str, list[str]] = {}
    for command in commands:
        group, _, name = command.partition(" ")
        if name:
            inner.setdefault(group, []).append(name)
    alone = [command for command in commands if " " not in command]
    return ", ".join([*alone, *(f"{group} ({', '.join(names)})" for group, names in inner.items())])


def walk_commands(program: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Yield every command below the program with its name, nested ones as `accounts add`."""
    group = program.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(program):
        command = group.get_command(program, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            inner = click.Context(command, info_name=name, parent=program)
            yield from ((f"{name} {below}", one) for below, one in walk_commands(inner))


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(SHELLS))
@log_options
@click.pass_context
def completion(context: click.Context, /, shell: str, **options: Any) -> None:
    """Print the completion script for a shell.

    \b
    Examples:
      halgit completion bash > ~/.local/share/bash-completion/completions/halgit
      halgit completion zsh > "${fpath[1]}/_halgit"
      halgit completion fish > ~/.config/fish/completions/halgit.fish
    """
    from click.shell_completion import get_completion_class

    assert context.parent is not None
    script = get_completion_class(shell)
    assert script is not None
    source = script(context.parent.command, {}, "halgit", "_HALGIT_COMPLETE").source()
    context.obj.result(source.rstrip())
