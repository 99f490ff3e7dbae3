# SPDX-License-Identifier: Apache-2.0
"""Finds the lines of a log that a check looks at, so that a million others cost next to nothing."""
import re

# The checks look closer; a word too many does no harm here.
SUSPECT = ("panic", "unexpected trap", "sbi_trap_error", "assertion", "stack overflow", "hazard")
SUSPECT += ("kernel:", "opensbi")
WORDS = ("vmo:", "selftest:", "audit ", *SUSPECT, "neuron vers")
WORDS += ("exc: scause", "illegal", "[user-pf]", "lockdep:", "pt-verify:", "rx guard:")
UNUSUAL = r"[^\t\n\x20-\x7e]"
AT_ONCE = 4096  # lines that are searched as one text first


def lines_of(lines, words):
    """-> the lines with one of the words, in upper or lower case, or an unusual character"""
    words, unusual, found = [word.lower() for word in words], re.compile(UNUSUAL), []
    search = re.compile("|".join([*map(re.escape, words), UNUSUAL]), re.IGNORECASE).search
    for start in range(0, len(lines), AT_ONCE):
        part = lines[start : start + AT_ONCE]
        text = "\n".join(part).lower()
        if unusual.search(text) or any(word in text for word in words):
            found += filter(search, part)
    return found
