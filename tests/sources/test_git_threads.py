"""A git snapshot that overlays share: several threads read it at once, as `--all-overlays` does."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from servers.repositories import Repository

from halgit import sources
from halgit.operator_settings import Access, SourceSpec

FILES = {f"overlays/o{number}/config": f"number: {number}\n" * 50 for number in range(40)}


def test_threads_that_read_at_once_get_their_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit(FILES)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    snapshot = sources.open_source(SourceSpec(repository.url), Access(timeout=20.0))
    try:
        with ThreadPoolExecutor(8) as pool:
            read = list(pool.map(lambda path: snapshot.read([path])[path].decode(), [*FILES] * 3))
    finally:
        sys.setswitchinterval(before)
        snapshot.close()
    assert read == [*FILES.values()] * 3
