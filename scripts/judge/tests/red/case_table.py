# SPDX-License-Identifier: Apache-2.0
"""The table that the case files fill, and the changes that several of them make."""
BOTH = ("a1", "a2")
CASES = []  # (name, ABI revisions, red checks, change)


def case(name, *red, abi_revs=BOTH):
    """Enters the function below it as the change of a case."""
    def keep(change):
        CASES.append((name, abi_revs, frozenset(red), change))
        return change
    return keep


def edit(run, old, new, count=1):
    """A change to the text of the log; it must find what it changes."""
    def change(log):
        assert old in log, old
        return log.replace(old, new, count)
    run.log_edits.append(change)


def insert_line(run, before, text):
    run.console.insert(run.console.index(before), text)
