"""Makes tests/fixtures/cipher-vectors.json: {cipher} values that the real Spring Security classes made.

Usage: python scripts/make_cipher_vectors.py REFERENCE_FOLDER

Reads `cipher-vectors.json` of the reference folder and skips those made with a public key, which halgit rejects.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from halgit.validation.open_secrets import is_public

TARGET = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "cipher-vectors.json"


def main(reference: Path) -> None:
    vectors = json.loads((reference / "cipher-vectors.json").read_text(encoding="utf-8"))
    kept = [vector for vector in vectors if not is_public(vector["key"])]
    TARGET.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
