"""Makes halgit/halyard/tables/public-secrets.json: digests of the default passwords and keys everybody can read.

Usage: python scripts/make_public_secrets.py REFERENCE_DIR [REPOSITORY ...]

REFERENCE_DIR holds predecessor-values.json, the defaults of the predecessor chart; each REPOSITORY is a checkout of one
of the public repositories of configuration that came with it. Only SHA-256 digests are written, so that no such
password stands in this project. They hide nothing: whoever wants the passwords reads them where they are published.
"""

from __future__ import annotations

import json
import re
import sys
from hashlib import sha256
from pathlib import Path

from halgit.halyard.sensitivity import is_sensitive_key

TARGET = Path(__file__).resolve().parent.parent / "halgit" / "halyard" / "tables" / "public-secrets.json"

LINE = re.compile(r"^\s*(?:- )?[\"']?([\w.-]+)[\"']?\s*:\s+[\"']?([^\s\"'#]+)")
IN_URL = re.compile(r"[a-z]+://[^/@\s:]*:([^/@\s]+)@")
TOKEN = re.compile(r"[A-Z][A-Z0-9_]*|encrypted.*|[|>][-+]?|\$.*|\{.*|\[.*|true|false|x+")
"""Pattern of placeholders for a secret: a token to be replaced, a reference, a bracket, a dummy value."""

NO_SECRETS = {"config", "default"}
"""Names of keys and accounts, under keys that say secret."""

MORE_VALUES = ("encrypt.key", "minio.secretKey")
"""Values of the chart that are secrets, though their names alone do not say so."""

ENCRYPT_KEY = re.compile(r"^encrypt:\n\s+key: *[\"']?([^\s\"']+)", re.MULTILINE)


def of_chart(reference: Path) -> set[str]:
    values = json.loads((reference / "predecessor-values.json").read_text(encoding="utf-8"))
    found = set()
    for entry in values:
        default = entry["default"]
        if isinstance(default, str):
            named = is_sensitive_key(entry["key"]) and not entry["key"].endswith("Secret")
            found |= {default} if named or entry["key"].endswith(MORE_VALUES) else set()
            found |= set(IN_URL.findall(default))
    return found


def of_repository(folder: Path) -> set[str]:
    found = set()
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or ".git" in file.parts:
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        found |= set(ENCRYPT_KEY.findall(text))
        for line in text.splitlines():
            found |= set(IN_URL.findall(line))
            match = LINE.match(line)
            if match and is_sensitive_key(match[1]):
                found.add(match[2])
    return found


def main() -> None:
    known = of_chart(Path(sys.argv[1]))
    for folder in sys.argv[2:]:
        known |= of_repository(Path(folder))
    secrets = {secret for secret in known - NO_SECRETS if len(secret) >= 6 and not TOKEN.fullmatch(secret)}
    digests = sorted(sha256(secret.encode()).hexdigest() for secret in secrets)
    TARGET.write_text(json.dumps({"sha256": digests}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
