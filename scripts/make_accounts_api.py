"""Write schemas/accounts-api.json: the OpenAPI description of `halgit accounts serve`.

python scripts/make_accounts_api.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from halgit.server.application import build_application
from halgit.server.authentication import Authentication

TARGET = Path(__file__).resolve().parent.parent / "schemas" / "accounts-api.json"


def text() -> str:
    """The description; nothing is served for it."""

    def none() -> Any:
        raise RuntimeError("there is no store")

    app = build_application(none, Authentication(), lambda line, **fields: None)
    return json.dumps(app.openapi(), indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text())
