# SPDX-License-Identifier: Apache-2.0
"""Finds a small part of a sequence that is still red: delta debugging, by leaving ever smaller pieces out."""


class Budget:
    """Bounds how often the question is asked, and remembers what was asked."""

    def __init__(self, is_red, most):
        self.is_red = is_red
        self.left = most
        self.known = {}

    def ask(self, part):
        key = tuple(part)
        if key not in self.known:
            if self.left == 0:
                return False
            self.left -= 1
            self.known[key] = self.is_red(part)
        return self.known[key]


def pieces(items, size):
    return [range(at, min(at + size, len(items))) for at in range(0, len(items), size)]


def without(items, piece):
    return items[:piece.start] + items[piece.stop:]


def one_round(items, size, budget):
    """Leaves out every piece of this size, from the end on, that is not needed."""
    for piece in reversed(pieces(items, size)):
        smaller = without(items, piece)
        if smaller and budget.ask(smaller):
            items = smaller
    return items


def shrink(items, is_red, most=400):
    """A part of items, in order, for which is_red still holds, and of which no single item can be left out.

    is_red(items) holds. After `most` questions the best so far is the answer.
    """
    budget = Budget(is_red, most)
    items = list(items)
    size = max(1, len(items) // 2)
    while budget.left > 0:
        before = len(items)
        items = one_round(items, size, budget)
        if size == 1 and len(items) == before:
            break
        size = max(1, size // 2)
    return items
