"""Tests that leave something out, so that the report has something to show."""

from __future__ import annotations

from inventory import Inventory


def test_take_gives_what_is_there() -> None:
    inventory = Inventory()
    inventory.add("apple", 2)
    assert inventory.take("apple", 3) == 2


def test_scarce_names_what_is_nearly_gone() -> None:
    inventory = Inventory()
    inventory.add("apple")
    assert list(inventory.scarce(2)) == ["apple"]
