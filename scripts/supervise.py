# SPDX-License-Identifier: Apache-2.0
"""Runs a program of this tree under a supervisor, the only process that handles signals.

The supervisor forks before the program begins, and waits. On a signal, or when the program exits, it ends every process
below it. It adopts orphans, so it also finds a process that left its group, its session or its parent. The program has
no signal handler and may end at any instruction. So it writes a file under a temporary name, reports that name to the
supervisor with `unfinished`, and renames the file when it is complete.
"""
import collections
import contextlib
import ctypes
import os
import pathlib
import select
import shutil
import signal
import time

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
SIGNAL_EXIT_BASE = 128
GRACE_SECONDS = (
    2  # from SIGTERM, on which make removes partial files, to SIGKILL
)
PATIENCE_SECONDS = 10  # after SIGKILL; a process that survives longer is left alone
LOOK_SECONDS = 0.05
BELOW = "BELOW_SUPERVISOR"  # set in the environment of a program with a supervisor
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # <linux/fcntl.h>, <linux/fs.h>

libc = ctypes.CDLL(None, use_errno=True)
ledger = None  # descriptor of the list of unfinished paths; None in a program without a supervisor


# ---- Processes below this one ---------------------------------------------------------------------------------------


def adopt_orphans():
    """Makes this process the subreaper: a descendant that loses its parent becomes its child."""
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")


def end_with(parent, number):
    """Called in a new process: the kernel sends it this signal when its parent thread ends, even by SIGKILL."""
    libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:  # it ended before the call
        os._exit(SIGNAL_EXIT_BASE + number)


def tied(number=signal.SIGTERM):
    """A preexec_fn for a process that must not outlive this one."""
    parent = os.getpid()
    return lambda: end_with(parent, number)


# A process in /proc. Its pid and its start time (clock ticks since boot) identify it; a pid alone may be reused.
Process = collections.namedtuple("Process", "parent state begin")


def look_at(pid):
    """-> Process, or None if there is none."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return Process(int(fields[1]), fields[0], int(fields[19]))


def processes():
    """-> {pid: Process}"""
    seen = {int(name): look_at(name) for name in os.listdir("/proc") if name.isdigit()}
    return {pid: process for pid, process in seen.items() if process is not None}


def below(root, but=()):
    """Living processes below root, parents first, without the children in `but` and their descendants.
    -> {pid: Process}"""
    seen, of_parent, order = processes(), {}, [root]
    for pid, process in seen.items():
        parent = seen.get(process.parent)
        # A parent that began later has reused the pid of one that ended during the scan.
        if process.state not in "ZX" and pid not in but and parent and parent.begin <= process.begin:
            of_parent.setdefault(process.parent, []).append(pid)
    for parent in order:
        order += of_parent.get(parent, [])
    return {pid: seen[pid] for pid in order[1:]}


def children():
    """The children of this process. -> {pid: Process}"""
    return {pid: process for pid, process in processes().items() if process.parent == os.getpid()}


def reap(but):
    """Reaps adopted processes that have ended."""
    for pid, process in children().items():
        if process.state == "Z" and pid not in but:
            os.waitpid(pid, os.WNOHANG)


def has_children():
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return True
    except ChildProcessError:
        return False


def wait_for_any(pids, seconds):
    """Waits until one of these has ended, at most `seconds`."""
    with contextlib.ExitStack() as stack:
        poller = select.poll()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                descriptor = os.pidfd_open(pid)
                stack.callback(os.close, descriptor)
                poller.register(descriptor, select.POLLIN)
        poller.poll(seconds * 1000)


def send(pid, begin, number):
    """Sends a signal to the process with this pid and start time, and to no other."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.suppress(ProcessLookupError, PermissionError))
        descriptor = os.pidfd_open(pid)
        stack.callback(os.close, descriptor)
        process = look_at(pid)
        if process is not None and process.begin == begin:
            signal.pidfd_send_signal(descriptor, number)


def name_of(pid):
    try:
        return (
            pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
        )
    except OSError:
        return "?"


def end_strays(but=(), grace=0):
    """Ends all processes below this one, which adopts orphans. -> {pid: name} of those that it found alive

    but: children that stay, with their descendants. grace: seconds from SIGTERM to SIGKILL.
    One scan can miss a process whose parent ends meanwhile. So the function returns only when this process has no child, or
    when a second scan finds nothing.
    """
    found, asked, quiet = {}, set(), 0
    begin = time.monotonic()
    while has_children() and quiet < 2:
        reap(but)
        strays = below(os.getpid(), but)
        passed = time.monotonic() - begin
        quiet = 0 if strays or not but else quiet + 1
        if passed > grace + PATIENCE_SECONDS:
            break
        for pid, process in strays.items():
            found.setdefault(pid, name_of(pid))
            if passed >= grace:
                send(pid, process.begin, signal.SIGKILL)
            elif (pid, process.begin) not in asked:
                asked.add((pid, process.begin))
                send(pid, process.begin, signal.SIGTERM)
        if strays:
            wait_for_any(strays, LOOK_SECONDS)
    return found


# ---- Files that appear complete or not at all ------------------------------------------------------------------------


def unfinished(path):
    """Makes the supervisor remove this path when the program ends. -> path"""
    if ledger is not None:
        os.write(ledger, os.fsencode(os.path.abspath(path)) + b"\0")
    return path


def write_whole(path, data):
    part = unfinished(path.with_name(f".{path.name}.{os.getpid()}.part"))
    try:
        part.write_bytes(data)
        part.rename(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def exchange(one, other):
    """Swaps two files or folders in one step. False if the C library has no renameat2 or the call fails."""
    try:
        call = libc.renameat2
    except AttributeError:
        return False
    return call(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0


def remove_unfinished():
    for name in os.pread(ledger, os.fstat(ledger).st_size, 0).split(b"\0")[:-1]:
        if os.path.isdir(name) and not os.path.islink(name):
            shutil.rmtree(name, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                os.unlink(name)


# ---- The supervisor -------------------------------------------------------------------------------------------------


def wait_for_program(program):
    """-> (the signal that asks us to end or None, the program's status or None). Reaps orphans."""
    while True:
        number = signal.sigwait({*ENDING, signal.SIGCHLD})
        if number != signal.SIGCHLD:
            return number, None
        pid = program
        while pid:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == program:
                return None, os.waitstatus_to_exitcode(status)


def supervise(program):
    """-> exit code"""
    number, status = wait_for_program(program)
    end_strays(grace=GRACE_SECONDS if number else 0)
    remove_unfinished()
    if number is None and status >= 0:
        return status
    ended = (
        f"interrupted by {number.name}" if number else f"ended by {signal.Signals(-status).name}"
    )
    fresh = "\n" if os.isatty(2) else ""  # the program's line of progress, or ^C
    with contextlib.suppress(OSError):
        os.write(2, f"{fresh}{ended}; all processes were ended\n".encode())
    return SIGNAL_EXIT_BASE + (number or -status)


def enter():
    """Continues the caller in a new process; the old one becomes its supervisor."""
    global ledger  # pylint: disable=global-statement
    signal.pthread_sigmask(signal.SIG_BLOCK, {*ENDING, signal.SIGCHLD})
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    adopt_orphans()
    if BELOW in os.environ:  # nested: end with the parent, so that its SIGKILL ends this one, too
        end_with(os.getppid(), signal.SIGTERM)
    os.environ[BELOW] = "1"
    ledger = os.memfd_create("unfinished")
    parent, program = os.getpid(), os.fork()
    if program:
        os._exit(supervise(program))
    os.setsid()  # so that the terminal's Ctrl-C does not reach it
    end_with(parent, signal.SIGKILL)
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {*ENDING, signal.SIGCHLD})
