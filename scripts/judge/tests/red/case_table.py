# SPDX-License-Identifier: Apache-2.0
"""The table of red cases, and the changes that several case files share."""
BOTH = ("a1", "a2")
CASES = []  # (name, ABI revisions, red checks, change)


def case(name, *red, abi_revs=BOTH):
    """Decorator: adds the function to CASES as a case's change."""
    def keep(change):
        CASES.append((name, abi_revs, frozenset(red), change))
        return change
    return keep


def edit(run, old, new, count=1):
    """Replaces text in the log. The text must be there."""
    def change(log):
        assert old in log, old
        return log.replace(old, new, count)
    run.log_edits.append(change)


def insert_line(run, before, text):
    run.console.insert(run.console.index(before), text)
