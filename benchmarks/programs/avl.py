"""An AVL tree under a random mix of insertions, deletions and look-ups, checked now and then."""

from __future__ import annotations

import sys
from collections.abc import Iterator

DEFAULT_N = 490
OPERATIONS = 1_500
KEYS = 500


class Node:
    """One key with its subtrees and the height of the tree it heads."""

    __slots__ = ("height", "key", "left", "right")

    def __init__(self, key: int) -> None:
        self.key = key
        self.left: Node | None = None
        self.right: Node | None = None
        self.height = 1


def height(node: Node | None) -> int:
    return node.height if node is not None else 0


def update(node: Node) -> None:
    left, right = height(node.left), height(node.right)
    node.height = 1 + (left if left > right else right)


def balance(node: Node) -> int:
    return height(node.left) - height(node.right)


def rotate_right(node: Node) -> Node:
    pivot = node.left
    assert pivot is not None
    node.left = pivot.right
    pivot.right = node
    update(node)
    update(pivot)
    return pivot


def rotate_left(node: Node) -> Node:
    pivot = node.right
    assert pivot is not None
    node.right = pivot.left
    pivot.left = node
    update(node)
    update(pivot)
    return pivot


def rebalance(node: Node) -> Node:
    """Restore the AVL condition at one node whose subtrees hold it."""
    update(node)
    tilt = balance(node)
    if tilt > 1:
        assert node.left is not None
        if balance(node.left) < 0:
            node.left = rotate_left(node.left)
        return rotate_right(node)
    if tilt < -1:
        assert node.right is not None
        if balance(node.right) > 0:
            node.right = rotate_right(node.right)
        return rotate_left(node)
    return node


def insert(node: Node | None, key: int) -> Node:
    if node is None:
        return Node(key)
    if key < node.key:
        node.left = insert(node.left, key)
    elif key > node.key:
        node.right = insert(node.right, key)
    else:
        return node
    return rebalance(node)


def smallest(node: Node) -> Node:
    while node.left is not None:
        node = node.left
    return node


def delete(node: Node | None, key: int) -> Node | None:
    if node is None:
        return None
    if key < node.key:
        node.left = delete(node.left, key)
    elif key > node.key:
        node.right = delete(node.right, key)
    elif node.left is None:
        return node.right
    elif node.right is None:
        return node.left
    else:
        heir = smallest(node.right)
        node.key = heir.key
        node.right = delete(node.right, heir.key)
    return rebalance(node)


def contains(node: Node | None, key: int) -> bool:
    while node is not None:
        if key == node.key:
            return True
        node = node.left if key < node.key else node.right
    return False


def walk(node: Node | None) -> Iterator[int]:
    if node is not None:
        yield from walk(node.left)
        yield node.key
        yield from walk(node.right)


def check(node: Node | None) -> int:
    """Verify heights and balance, and return the height."""
    if node is None:
        return 0
    left, right = check(node.left), check(node.right)
    if abs(left - right) > 1:
        raise AssertionError(f"out of balance at {node.key}")
    if node.height != 1 + max(left, right):
        raise AssertionError(f"wrong height at {node.key}")
    return node.height


def run(n: int) -> int:
    """Do `n` times as many operations on one tree."""
    state = 12_345
    root: Node | None = None
    found = 0
    for _ in range(n):
        for _ in range(OPERATIONS):
            state = (state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
            key = (state >> 8) % KEYS
            action = (state >> 4) % 4
            if action < 2:
                root = insert(root, key)
            elif action == 2:
                root = delete(root, key)
            elif contains(root, key):
                found += 1
        found += check(root)
    for key in walk(root):
        found = (found * 31 + key) & 0xFFFFFFFF
    return found


def main(argv: list[str]) -> None:
    """Run N rounds and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
