# SPDX-License-Identifier: Apache-2.0
"""The tree's root, and what to say about the paths and options that a user gave."""
import contextlib
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
NAMED_CHARACTERS = 300  # of a name in a message


class ConfigError(Exception):
    """The caller's request cannot be run; the text says what to change."""


@contextlib.contextmanager
def named(what):
    """Turns an OSError about a path that the user named into a ConfigError with the reason."""
    try:
        yield
    except OSError as error:
        what = what if len(what) <= NAMED_CHARACTERS else f"{what[:150]} .. {what[-100:]}"
        raise ConfigError(f"{what}: {error.strerror}") from error


def shown(path):
    """A path as people type it: relative to the tree if it is inside."""
    path = pathlib.Path(path)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
