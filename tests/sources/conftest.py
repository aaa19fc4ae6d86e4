"""What the tests of sources share: an operator's access whose private folders must all be gone in the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from halgit.operator_settings import Access, PerHost
from halgit.record import replace

PER_HOST = {"git_user", "git_token_file", "ssh_key_file", "known_hosts_file", "ca_file"}


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """The folder for temporary files; a test that leaves something in it fails."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == [], "something was left behind"


@pytest.fixture
def said() -> list[str]:
    """What was told as progress."""
    return []


@pytest.fixture
def access(scratch: Path, said: list[str]) -> Callable[..., Access]:
    """Makes an Access; options that hold per host are given as texts, `environment` adds to the least there is."""
    least = Access(
        environment={"PATH": os.environ["PATH"], "TMPDIR": str(scratch)}, timeout=60, retries=0, progress=said.append
    )

    def make(environment: dict[str, str] | None = None, **options: Any) -> Access:
        per_host = {name: PerHost(str(value)) for name, value in options.items() if name in PER_HOST}
        return replace(least, environment={**least.environment, **(environment or {})}, **{**options, **per_host})

    return make
