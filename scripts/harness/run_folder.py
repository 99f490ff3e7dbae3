# SPDX-License-Identifier: Apache-2.0
"""The folder of a run: private, locked while it is in use, removed once KEPT newer ones exist.

A process holds the lock until it ends, however it ends. A folder is locked before it gets the name
run-*, and only a folder without a lock is removed, so runs at the same time leave each other alone.
"""
import fcntl
import os
import pathlib
import shutil
import tempfile

import supervise
from paths import ConfigError, named, shown

KEPT = 20
NAMED, NEW, OLD = "run-", ".new-", ".old-"
held = []  # descriptors with our locks; the kernel closes them when this process ends


def lock(folder, kind):
    """-> a descriptor with the lock; None if another process has a lock or renamed the folder"""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.stat(folder)):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def hold(folder):
    """Keeps a folder from being removed until this process ends."""
    with named(f"{shown(folder)} cannot be read"):
        descriptor = lock(os.path.realpath(folder), fcntl.LOCK_SH)
    if descriptor is None:
        raise ConfigError(f"another run removes {shown(folder)}; name another folder")
    held.append(descriptor)


def old_folders(parent):
    """All but the newest, and what an interrupted removal left."""
    found = []
    for path in parent.iterdir():
        try:
            if path.name.startswith((NAMED, OLD)) and path.is_dir() and not path.is_symlink():
                found.append((path.name.startswith(NAMED), path.stat().st_mtime_ns, path))
        except FileNotFoundError:  # another run removed it
            continue
    left = [path for is_named, _, path in found if not is_named]
    runs = sorted((when, path) for is_named, when, path in found if is_named)
    return left + [path for _, path in runs[: max(0, len(runs) - KEPT)]]


def remove(folder):
    """Removes a folder, unless it is in use."""
    try:
        descriptor = lock(folder, fcntl.LOCK_EX)
    except FileNotFoundError:  # another run removed it
        return
    if descriptor is None:
        return
    try:
        is_named = folder.name.startswith(NAMED)
        doomed = folder.with_name(OLD + folder.name) if is_named else folder
        supervise.unfinished(doomed)
        folder.rename(doomed)
        shutil.rmtree(doomed)
    finally:
        os.close(descriptor)


def make(parent, say):
    """Makes a folder that is held, and removes old ones. say: prints a line."""
    with named(f"a folder of the run cannot be made in {shown(parent)}"):
        parent.mkdir(parents=True, exist_ok=True)
        fresh = supervise.unfinished(pathlib.Path(tempfile.mkdtemp(prefix=NEW, dir=parent)))
        hold(fresh)
        folder = fresh.rename(parent / fresh.name.replace(NEW, NAMED, 1))
    for old in old_folders(parent):
        try:
            remove(old)
        except OSError as error:
            say(f"note: the old run {shown(old)} cannot be removed: {error.strerror}")
    return folder


def choose(asked, parent, say):
    """The folder that the caller named, empty or new, or a fresh one in `parent`."""
    if asked is None:
        return make(parent, say)
    folder = pathlib.Path(asked).absolute()
    with named(f"the folder of the run cannot be made: --out {asked}"):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(f"--out {asked} exists and is not an empty folder; name another")
        folder.mkdir(parents=True, exist_ok=True)
    return folder
