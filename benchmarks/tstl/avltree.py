"""An AVL tree of numbers."""


class Node:
    __slots__ = ("height", "key", "left", "right")

    def __init__(self, key):
        self.key = key
        self.left = self.right = None
        self.height = 1


def height(node):
    return node.height if node else 0


def update(node):
    left, right = height(node.left), height(node.right)
    node.height = 1 + (left if left > right else right)


def balance(node):
    return height(node.left) - height(node.right)


def rotate_right(node):
    pivot = node.left
    node.left = pivot.right
    pivot.right = node
    update(node)
    update(pivot)
    return pivot


def rotate_left(node):
    pivot = node.right
    node.right = pivot.left
    pivot.left = node
    update(node)
    update(pivot)
    return pivot


def rebalanced(node):
    update(node)
    tilt = balance(node)
    if tilt > 1:
        if balance(node.left) < 0:
            node.left = rotate_left(node.left)
        return rotate_right(node)
    if tilt < -1:
        if balance(node.right) > 0:
            node.right = rotate_right(node.right)
        return rotate_left(node)
    return node


def inserted(node, key):
    if node is None:
        return Node(key)
    if key < node.key:
        node.left = inserted(node.left, key)
    elif key > node.key:
        node.right = inserted(node.right, key)
    else:
        return node
    return rebalanced(node)


def smallest(node):
    while node.left is not None:
        node = node.left
    return node


def deleted(node, key):
    if node is None:
        return None
    if key < node.key:
        node.left = deleted(node.left, key)
    elif key > node.key:
        node.right = deleted(node.right, key)
    elif node.left is None:
        return node.right
    elif node.right is None:
        return node.left
    else:
        heir = smallest(node.right)
        node.key = heir.key
        node.right = deleted(node.right, heir.key)
    return rebalanced(node)


def checked(node):
    """The height of a tree that is in order."""
    if node is None:
        return 0
    left, right = checked(node.left), checked(node.right)
    if abs(left - right) > 1:
        raise AssertionError("out of balance")
    if node.height != 1 + max(left, right):
        raise AssertionError("wrong height")
    return node.height


class AVLTree:
    """A set of numbers."""

    def __init__(self):
        self.root = None

    def insert(self, key):
        self.root = inserted(self.root, key)

    def delete(self, key):
        self.root = deleted(self.root, key)

    def find(self, key):
        node = self.root
        while node is not None:
            if key == node.key:
                return True
            node = node.left if key < node.key else node.right
        return False

    def inorder(self):
        out = []

        def walk(node):
            if node is not None:
                walk(node.left)
                out.append(node.key)
                walk(node.right)

        walk(self.root)
        return out

    def check(self):
        checked(self.root)
        return True
