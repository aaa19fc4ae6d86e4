"""Maintains the one halgit comment of a pull request on GitHub from a file: creates it, or updates the existing one.

Run by action.yml. Reads GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN and NUMBER; needs only Python. Without
differences no comment is created, but an existing one is updated.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

MARK = "<!-- halgit diff -->"
NOTHING = "### halgit: no difference"
PAGE = 100


def call(method: str, path: str, body: dict[str, str] | None = None) -> Any:
    """Send one request to the API of the forge and return its answer."""
    request = urllib.request.Request(
        os.environ["GITHUB_API_URL"] + path,
        data=json.dumps(body).encode() if body else None,
        method=method,
        headers={
            "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def find_comment(issue: str) -> int | None:
    """Return the id of the existing comment; None if there is none."""
    number = 1
    while True:
        page = call("GET", f"{issue}/comments?per_page={PAGE}&page={number}")
        for comment in page:
            if comment["body"].startswith(MARK):
                return int(comment["id"])
        if len(page) < PAGE:
            return None
        number += 1


def main(file: str) -> str:
    """Create or update the comment; returns a message."""
    if not Path(file).is_file():
        return "There is no comparison, so no comment is created."
    text = Path(file).read_text(encoding="utf-8")
    repository = f"/repos/{os.environ['GITHUB_REPOSITORY']}"
    issue = f"{repository}/issues/{os.environ['NUMBER']}"
    known = find_comment(issue)
    if known is None and text.startswith(NOTHING):
        return "Nothing differs, so no comment is created."
    body = {"body": f"{MARK}\n{text}"}
    if known is None:
        call("POST", f"{issue}/comments", body)
        return "The comment was created."
    call("PATCH", f"{repository}/issues/comments/{known}", body)
    return "The comment was updated."


if __name__ == "__main__":
    try:
        print(main(sys.argv[1]))
    except urllib.error.HTTPError as error:
        print(f"::warning::The comment was not written: HTTP {error.code}. The job needs pull-requests: write.")
    except (urllib.error.URLError, TimeoutError) as error:
        print(f"::warning::The comment was not written: {error}.")
