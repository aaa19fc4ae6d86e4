"""Keeps a file as the one halgit comment of a pull request on GitHub: edited where it is there, else made.

Run by action.yml. Reads GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN and NUMBER; needs nothing but Python. A change
without a difference makes no comment, and sets an older one right.
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
    """One request to the API of the forge, and its answer."""
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


def own_comment(issue: str) -> int | None:
    """The comment that was made before; None where there is none."""
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
    """Keep the comment; what was done, in words."""
    if not Path(file).is_file():
        return "There is no comparison, so no comment is made."
    text = Path(file).read_text(encoding="utf-8")
    repository = f"/repos/{os.environ['GITHUB_REPOSITORY']}"
    issue = f"{repository}/issues/{os.environ['NUMBER']}"
    known = own_comment(issue)
    if known is None and text.startswith(NOTHING):
        return "Nothing differs, so no comment is made."
    body = {"body": f"{MARK}\n{text}"}
    if known is None:
        call("POST", f"{issue}/comments", body)
        return "The comment is made."
    call("PATCH", f"{repository}/issues/comments/{known}", body)
    return "The comment is set right."


if __name__ == "__main__":
    try:
        print(main(sys.argv[1]))
    except urllib.error.HTTPError as error:
        print(f"::warning::The comment could not be written: HTTP {error.code}. The job needs pull-requests: write.")
    except (urllib.error.URLError, TimeoutError) as error:
        print(f"::warning::The comment could not be written: {error}.")
