"""Records behave as frozen dataclasses with slots do."""

from __future__ import annotations

import dataclasses
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from halgit.record import Record, RecordType, field, list_fields, replace, to_dict


class Point(Record):
    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list)
    secret: str = field(default="", repr=False, compare=False)


class Point3(Point):
    z: int = 7


class Draft(Record, frozen=False):
    text: str = ""


class Token(Record, eq=False):
    text: str = ""


@dataclasses.dataclass(frozen=True)
class Reference:
    x: int
    y: int = 0
    tags: list[str] = dataclasses.field(default_factory=list)
    secret: str = dataclasses.field(default="", repr=False, compare=False)


@pytest.mark.parametrize(
    ("values", "named"), [((1,), {}), ((1, 2), {}), ((), {"x": 1, "y": 2}), ((1,), {"tags": ["a"], "secret": "s"})]
)
def test_records_are_made_compared_and_shown_like_dataclasses(values: tuple[int, ...], named: dict[str, Any]) -> None:
    point, reference = Point(*values, **named), Reference(*values, **named)
    assert repr(point) == repr(reference).replace("Reference", "Point")
    assert to_dict(point) == dataclasses.asdict(reference)
    assert point == Point(*values, **{**named, "secret": "other"})
    assert point != Point(9)
    assert point != reference
    assert to_dict(replace(point, y=5)) == dataclasses.asdict(dataclasses.replace(reference, y=5))


@pytest.mark.parametrize(("values", "named"), [((), {}), ((1,), {"x": 1}), ((1,), {"w": 1}), ((1, 2, [], "s", 5), {})])
def test_wrong_arguments_are_refused_as_by_dataclasses(values: tuple[Any, ...], named: dict[str, Any]) -> None:
    for kind in (Point, Reference):
        with pytest.raises(TypeError):
            kind(*values, **named)
    with pytest.raises(TypeError):
        replace(Point(1), w=2)


def test_a_record_is_frozen_and_has_slots_only() -> None:
    point = Point(1)
    for change in (lambda: setattr(point, "x", 2), lambda: delattr(point, "x"), lambda: setattr(point, "w", 2)):
        with pytest.raises(AttributeError):
            change()
    assert not hasattr(point, "__dict__")
    assert point.tags is not Point(1).tags


def test_a_record_is_hashed_by_its_fields() -> None:
    assert hash(Point(1, 2, ())) == hash(Point(1, 2, (), "s"))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        hash(Point(1))
    with pytest.raises(TypeError):
        hash(Draft("a"))


def test_a_record_inherits_fields() -> None:
    assert list_fields(Point3) == ("x", "y", "tags", "secret", "z")
    assert Point3(1) == Point3(1, 0, [], "", 7) != Point(1)


def test_a_record_can_be_mutable_or_compared_by_identity() -> None:
    draft = Draft()
    draft.text = "a"
    assert draft == Draft("a")
    assert Token("a") != Token("a")
    assert len({Token("a"), Token("a")}) == 2


def test_several_threads_may_use_a_type_first() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            for _ in range(300):
                kind = RecordType("Point", (Record,), {"__annotations__": {"x": "int", "y": "int"}, "y": 2})
                barrier = threading.Barrier(8)

                def create(kind: Any = kind, barrier: threading.Barrier = barrier) -> Any:
                    barrier.wait()
                    return kind(x=1)

                records = [one.result() for one in [pool.submit(create) for _ in range(8)]]
                assert {(one.x, one.y) for one in records} == {(1, 2)}
                assert len(set(records)) == 1
    finally:
        sys.setswitchinterval(interval)
