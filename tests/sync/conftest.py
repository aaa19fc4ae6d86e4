"""What the tests of sync share: a program that is loaded once, and a world for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from program import Ran
from sync_world import World, world
from warm import warm


@pytest.fixture(scope="session")
def halgit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Ran]]:
    """Runs the program; each run is a fork of one process that has loaded everything."""
    with warm(tmp_path_factory.mktemp("warm")) as run:
        yield run


@pytest.fixture
def one(tmp_path: Path, halgit: Callable[..., Ran]) -> Iterator[World]:
    """A repository with one commit, a fake Halyard, and the program between them."""
    with world(tmp_path, halgit) as made:
        yield made
