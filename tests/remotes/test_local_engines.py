"""The engines that ask no server: noop, env and file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from halgit.errors import NotFoundError, RefusedError
from halgit.operator_settings import Access
from halgit.pipeline import Reference
from halgit.references import find_references
from halgit.remotes.engine import EnvEngine, FileEngine, NoopEngine


def reference(uri: str) -> Reference:
    return find_references("${{ secret('" + uri + "') }}")[0].reference


def test_noop_holds_its_value_itself() -> None:
    engine = NoopEngine(Access())
    noop = find_references("encrypted:noop!v:a:b c")[0].reference
    assert engine.read(noop).whole == b"a:b c"
    assert engine.check(noop).how == "metadata"


def test_env_is_the_operators_environment_and_no_other() -> None:
    engine = EnvEngine(Access(environment={"PATH": "of remotes"}, variables={"OF_HAL": "välue"}))
    assert engine.read(reference("env://OF_HAL")).whole == "välue".encode()
    assert engine.check(reference("env://OF_HAL")).how == "read"
    for ask in (engine.read, engine.check):
        with pytest.raises(
            NotFoundError, match=r"The environment variable PATH is not set\. Set it in halgit's environment\."
        ):
            ask(reference("env://PATH"))


def test_a_file_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "a file").write_bytes(b"\xff")
    engine = FileEngine(Access(largest_file=3))
    assert engine.read(reference(f"file://{tmp_path}/a%20file")).whole == b"\xff"
    assert engine.check(reference(f"file://{tmp_path}/a%20file")).how == "metadata"
    for ask in (engine.read, engine.check):
        with pytest.raises(NotFoundError, match=r"File .*/none not found. Create it, or fix the reference\."):
            ask(reference(f"file://{tmp_path}/none"))
    (tmp_path / "large").write_bytes(b"1234")
    with pytest.raises(RefusedError, match=r"The file .*/large is larger than 3 bytes\."):
        engine.read(reference(f"file://{tmp_path}/large"))
    os.mkfifo(tmp_path / "pipe")
    for never_ends in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(RefusedError, match=r"is not a regular file\."):
            engine.read(reference(f"file://{never_ends}"))
    with pytest.raises(RefusedError, match=r"cannot be read: Is a directory\."):
        FileEngine(Access()).read(reference(f"file://{tmp_path}"))
