"""Results that are remembered for list items by identity."""

from __future__ import annotations

from halgit.vocabulary import ItemCache


def test_a_result_is_computed_once_for_each_item_and_argument() -> None:
    cache: ItemCache[str] = ItemCache()
    asked: list[str] = []

    def compute(text: str) -> str:
        asked.append(text)
        return text

    item = {"name": "a"}
    assert [cache.get(item, lambda: compute("one"), 1) for _ in range(3)] == ["one"] * 3
    assert cache.get(item, lambda: compute("two"), 2) == "two"
    assert cache.get(dict(item), lambda: compute("equal"), 1) == "equal"
    assert asked == ["one", "two", "equal"]


def test_an_item_is_kept_while_its_result_is_so_that_no_other_gets_its_identity() -> None:
    cache: ItemCache[int] = ItemCache()
    for number in range(2_000):
        assert cache.get({"number": number}, lambda number=number: number) == number


def test_too_many_items_are_forgotten() -> None:
    cache: ItemCache[int] = ItemCache(most=2)
    items = [{}, {}, {}]
    assert [cache.get(item, lambda: 1) for item in items] == [1, 1, 1]
    assert cache.get(items[0], lambda: 2) == 2
    assert cache.get(items[2], lambda: 3) == 1
