"""Options that several commands share, by group. Every option is also read from `HALGIT_<OPTION>`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from halgit.annotations import TYPE_CHECKING, Final
from halgit.cli.declarations import (
    GENERAL,
    Choice,
    Count,
    FilePath,
    OptionDeclaration,
    Seconds,
    combine,
    option,
)

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

SOURCE: Final = "Source"
PARAMETERS: Final = "Parameters and dialect"
SECRETS: Final = "Secrets"
LOGIN: Final = "Login (each for all hosts, or as HOST=VALUE for one)"
NETWORK: Final = "Network"
VALIDATION: Final = "Validation"
OUTPUT: Final = "Output"


def _complete_folders(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="dir")]


def complete_overlays(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the overlays of those sources that are directories on this machine."""
    from click.shell_completion import CompletionItem

    found: set[str] = set()
    for folder in ctx.params.get("repos") or (".",):
        with suppress(OSError):
            found |= {path.name for path in (Path(folder) / "overlays").iterdir() if path.is_dir()}
    return [CompletionItem(name) for name in sorted(found) if name.startswith(incomplete)]


repo_option = option(
    "--repo", "repos", multiple=True, metavar="SRC", shell_complete=_complete_folders,
    help="Directory, git URL, s3://bucket/prefix or vault://mount/path; repeat to merge several sources. "
    "Default: the current folder, if it is a source.",
)  # fmt: skip

source_details = combine(
    [
        option("--ref", default="", metavar="REF", group=SOURCE, help="Branch, tag or full commit (with one --repo)."),
        option("--path", default="", metavar="DIR", group=SOURCE, help="Root folder in the source (with one --repo)."),
        option("--verify-signatures", default="", metavar="FILE", group=SOURCE,
               help="Accept only commits signed by a key of this GPG key ring or SSH allowed-signers file."),
        option("--submodules", is_flag=True, group=SOURCE,
               help="Fetch git submodules at their pinned commits from the host of --repo."),
        option("--submodule-host", "submodule_hosts", multiple=True, metavar="HOST", group=SOURCE,
               help="Fetch submodules from this host too; its credentials are those set with HOST=."),
    ]
)  # fmt: skip

parameter_options = combine(
    [
        option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Value of a parameter; repeatable."),
        option("--params", "params_file", default="", metavar="FILE", group=PARAMETERS,
               help="YAML file with values of parameters."),
        option("--dialect", type=Choice("halgit", "opsmx"), group=PARAMETERS, help="Syntax of parameters."),
        option("--variant", type=Choice("token", "ssh", "s3"), group=PARAMETERS,
               help="File variants to use in the opsmx dialect."),
        option("--hal-home", default="/home/spinnaker/.hal", show_default=True, metavar="DIR", group=PARAMETERS,
               help="Path of the tree in Halyard's container."),
        option("--mounted", multiple=True, metavar="PATH", group=PARAMETERS,
               help="File or directory that is mounted into Halyard's pod and not part of the tree."),
    ]
)  # fmt: skip

source_options = combine(
    [
        repo_option,
        option("--overlay", default="", metavar="NAME", shell_complete=complete_overlays,
               help="Overlay to use: the layer overlays/NAME."),
        source_details,
        parameter_options,
    ]
)  # fmt: skip

PER_HOST: Final = {
    "git-user": "User name for git over https.",
    "git-token-file": "File with the git token or password.",
    "ssh-key-file": "Private key for git over ssh.",
    "known-hosts-file": "Host keys of ssh servers.",
    "ca-file": "CA certificates to trust, added to those of the system.",
    "vault-address": "Address of the Vault server.",
    "vault-auth": "Vault login: token, approle, kubernetes, jwt or userpass, or METHOD:MOUNT.",
    "vault-role": "Role, role id or user of the Vault login.",
    "vault-token-file": "File with the Vault token.",
    "vault-secret-file": "File with the secret id, JWT or password of the Vault login.",
    "s3-endpoint": "Endpoint of an S3-compatible store; HOST is the bucket.",
    "s3-region": "Region of the S3 bucket; HOST is the bucket.",
    "s3-profile": "AWS profile of the S3 login; takes precedence over AWS_ variables; HOST is the bucket.",
}
"""The options that apply to one host each, with their help."""

access_options = combine(
    [
        option(f"--{name}", multiple=True, metavar="[HOST=]VALUE", group=LOGIN, help=text)
        for name, text in PER_HOST.items()
    ]
    + [
        option("--sops-age-key-file", default="", metavar="FILE", group=SECRETS,
               help="File with the age keys that decrypt layer files encrypted by SOPS."),
        option("--instance-credentials", is_flag=True, group=LOGIN,
               help="Ask the metadata service of the machine for AWS credentials."),
        option("--timeout", type=Seconds(1), default=120.0, show_default=True, metavar="SECONDS", group=NETWORK,
               help="Timeout of the run, and of each fetch in it."),
        option("--retries", type=Count(0, 10), default=3, show_default=True, group=NETWORK,
               help="Number of retries after a temporary failure."),
    ]
)  # fmt: skip

trust_options = combine(
    [
        option("--allow-engine", "allow_engines", multiple=True, metavar="ENGINE", group=SECRETS,
               help="Allow references to env, file or both (env,file)."),
        option("--allow-namespace", "allow_namespaces", multiple=True, metavar="NS", group=SECRETS,
               help="Allow Kubernetes references to this namespace too."),
        option("--allow-reference", "allow_references", multiple=True, metavar="PATTERN", group=SECRETS,
               help="Allow only secrets whose reference matches one of these patterns."),
        option("--deny-commands", is_flag=True, group=SECRETS,
               help="Refuse fields that make Halyard or a service run a program or read a file of its pod."),
        option("--allow-plugins", is_flag=True, group=SECRETS,
               help="Allow Spinnaker plug-ins that a repository names, also with --deny-commands."),
    ]
)  # fmt: skip

log_options = combine(
    [
        option("--log-format", type=Choice("text", "json"), default="text", group=GENERAL,
               help="Format of the lines on stderr."),
        option("--color", type=Choice("auto", "always", "never"), default="auto", show_default=True,
               group=GENERAL, help="When to use colors; NO_COLOR and FORCE_COLOR count with auto."),
    ]
)  # fmt: skip


def format_option(*formats: str) -> OptionDeclaration:
    """Declare --format with these formats; the first one is the default."""
    words = formats or ("text", "json")
    return option("--format", type=Choice(*words), default=words[0], show_default=True, group=OUTPUT,
                  help="Format of the result on stdout.")  # fmt: skip


def output_option(text: str) -> OptionDeclaration:
    """Declare --output."""
    return option("--output", type=FilePath(), metavar="FILE", group=OUTPUT, help=text)


def fail_on_option(default: str = "error") -> OptionDeclaration:
    """Declare --fail-on."""
    return option("--fail-on", type=Choice("error", "warning"), default=default, show_default=True,
                  group=VALIDATION, help="Lowest severity of a finding that fails the run.")  # fmt: skip
