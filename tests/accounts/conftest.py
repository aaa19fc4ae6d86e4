"""The judge of what Clouddriver makes of accounts, one JVM for each run of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from clouddriver import Judge, judge


@pytest.fixture(scope="session")
def clouddriver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    with judge(tmp_path_factory.mktemp("clouddriver")) as running:
        yield running
