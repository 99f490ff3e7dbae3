# SPDX-License-Identifier: Apache-2.0
"""Finds the end of a foreign kernel's run in its growing log."""
from judge import check_run, facts
from judge.noise import REACH_LINES, Expected, Stream, heal


class Watch:
    """Called with the whole log: whether a text ends the run. Reads each byte once."""

    def __init__(self, is_end, exact=()):
        self.is_end, self.stream, self.expected = is_end, Stream(), Expected(exact)
        self.seen_bytes = self.seen_texts = self.looked = 0

    def __call__(self, log):
        end, self.looked = log.rfind(b"\n", self.looked) + 1, len(log)
        if not end:
            return False
        known = max(0, len(self.stream.lines) - REACH_LINES - 1)
        self.stream.feed(bytes(log[self.seen_bytes : end]))
        self.seen_bytes = end
        lines, kernel = heal(self.stream.lines[known:], self.expected)[:2]
        texts = lines + kernel + self.stream.kernel[self.seen_texts :]
        self.seen_texts = len(self.stream.kernel)
        return any(self.is_end(text) for text in dict.fromkeys(texts))


def proof_watch(manifest):
    """A Watch for the last marker or a fatal text."""
    last, allowed = manifest["last_marker"], manifest["kernel_lines"]

    def is_end(text):
        is_bad = facts.FAIL_PREFIX in text or check_run.is_foreign_bad(text, allowed)
        return text == last or is_bad

    return Watch(is_end, [last])
