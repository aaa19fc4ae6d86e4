"""Makes halgit/halyard/tables/opsmx_tokens.json: the tokens of the OpsMx repositories, by the files they stand in.

Usage: python scripts/make_opsmx_tokens.py REFERENCE_DIR

REFERENCE_DIR holds predecessor-placeholders.json: token -> repository@branch -> file -> lines. What no list of
places can tell (what a token is for, whether it is a secret, files that only some installations have) stands below.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "halgit" / "halyard" / "tables" / "opsmx_tokens.json"
VARIANTS = (".s3", ".ssh")

DESCRIPTIONS = {
    "SPINNAKER_NAMESPACE": "the namespace Spinnaker runs in",
    "RELEASE_NAME": "the name of the Helm release",
    "OVERRIDE_DECK_URL": "host and path at which people reach Deck, without the scheme",
    "OVERRIDE_API_URL": "host and path at which people reach Gate, without the scheme",
    "PROTOCOL": "http or https, as people reach Deck and Gate",
    "DYNAMIC_ACCOUNTS_REPO": "URL of the git repository of dynamic accounts, without a login",
    "GIT_USER": "user name for the repository of dynamic accounts",
    "GIT_TOKEN": "token or password for the repository of dynamic accounts",
    "GIT_SSH_KEY": "private SSH key for the repository of dynamic accounts, all its lines",
    "DYN_ACCNT_CONFG_PATH": "folder of the repository of dynamic accounts; empty for its root",
    "BRANCH": "branch of the repository of dynamic accounts",
    "KEY": "key that decrypts {cipher} values in the account files",
    "AWS_S3_BUCKET": "bucket of the dynamic accounts",
    "AWS_S3_REGION": "region of the bucket of dynamic accounts",
    "AWS_ACCESS_KEY_ID": "access key id for the bucket of dynamic accounts",
    "AWS_SECRET_ACCESS_KEY": "secret access key for the bucket of dynamic accounts",
    "SERVICENOW_URL": "base URL of ServiceNow",
    "SERVICENOW_BASE64_USR_PASSWD": "user:password for ServiceNow in base64",
    "JIRA_URL": "base URL of Jira",
    "JIRA_BASE64_USR_PASSWD": "user:password or user:token for Jira in base64",
    "CDName": "the name of this Spinnaker in events",
}
SECRETS = {"GIT_TOKEN", "GIT_SSH_KEY", "KEY", "AWS_SECRET_ACCESS_KEY"} | {
    name for name in DESCRIPTIONS if name.endswith("_PASSWD")
}
MAY_BE_EMPTY = {"DYN_ACCNT_CONFG_PATH"}

TYPOS = {"RELEASE"}
"""Listed as a placeholder, but a misspelt RELEASE_NAME: nothing ever replaced it."""

MORE_FILES = {
    "SPINNAKER_NAMESPACE": ["default/service-settings/*"],  # with mutual TLS the predecessor replaces it there too
    "GIT_SSH_KEY": ["default/profiles/spinnakerconfig.yml"],  # the predecessor had no token, it pasted the key in
}


def without_variant(file: str) -> str:
    for suffix in VARIANTS:
        file = file.removesuffix(suffix)
    return file


def main(reference: Path) -> None:
    placeholders = json.loads((reference / "predecessor-placeholders.json").read_text(encoding="utf-8"))
    unknown = set(placeholders) - set(DESCRIPTIONS) - TYPOS
    if unknown:
        sys.exit(f"describe these tokens in this script first: {', '.join(sorted(unknown))}")
    table = {}
    for name, description in DESCRIPTIONS.items():
        listed = {without_variant(file) for branch in placeholders.get(name, {}).values() for file in branch}
        table[name] = {
            "files": sorted(listed.union(MORE_FILES.get(name, ()))),
            "secret": name in SECRETS,
            "may_be_empty": name in MAY_BE_EMPTY,
            "description": description,
        }
    TARGET.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
