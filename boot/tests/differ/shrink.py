# SPDX-License-Identifier: Apache-2.0
"""Delta debugging: finds a small part of a sequence that is still red by removing smaller and smaller pieces."""


class Budget:
    """Limits the number of calls of is_red, and caches its results."""

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
    """Removes every unneeded piece of this size, starting at the end."""
    for piece in reversed(pieces(items, size)):
        smaller = without(items, piece)
        if smaller and budget.ask(smaller):
            items = smaller
    return items


def shrink(items, is_red, most=400):
    """Returns a subsequence of items that is still red and becomes green without any single item.

    Requires is_red(items). After `most` calls of is_red it returns the best part so far.
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
