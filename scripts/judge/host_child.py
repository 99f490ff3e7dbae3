# SPDX-License-Identifier: Apache-2.0
"""One of the two processes of the Linux proof: how it starts, what it prints, how it ends."""
import contextlib
import fcntl
import os
import resource
import signal

from judge import proc_facts
from judge import supervise

READ_BYTES = 65536
CHANNEL = 3  # where a payload finds its channel
FREE_FROM = 10  # our own numbers while a child is made, out of the way of the child's
CPU_SECONDS = 60  # of a child that spins
NO_PROGRAM = 127


class CannotStart(Exception):
    """A program could not be started."""


def raised(descriptor):
    """A duplicate with a number that no child's descriptor has."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, FREE_FROM)


def keep_to_ourselves():
    """What our own parent left open is not for the children."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if int(name) > CHANNEL - 1:
                os.set_inheritable(int(name), False)


def become(argv, numbers, parent, error_pipe):
    """In the new process: these descriptors become 0, 1, ..; then the program starts, or the pipe says why not."""
    try:
        os.setsid()
        supervise.end_with(parent, signal.SIGKILL)
        for target, number in enumerate(numbers):
            os.dup2(number, target)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them; a payload gets the default
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.execv(argv[0], argv)
    except OSError as error:
        os.write(error_pipe, error.strerror.encode())
    finally:
        os._exit(NO_PROGRAM)


def start(argv, channel, inside):
    """Starts a program with these descriptors as 0 to 3, and none else. -> pid, which leads a session of its own."""
    keep_to_ourselves()
    error_in, error_out = os.pipe()
    numbers = [raised(descriptor) for descriptor in (*inside, channel, error_out)]
    os.close(error_out)
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        become(argv, numbers[:-1], parent, numbers[-1])
    for number in numbers:
        os.close(number)
    with open(error_in, "rb") as pipe:
        reason = pipe.read()  # to its end: the program has started, and so closed it
    if reason:
        os.waitpid(pid, 0)
        raise CannotStart(f"'{argv[0]}' cannot be run: {reason.decode()}")
    return pid


class Child:
    """A process of our own and the pipes to it."""

    def __init__(self, role, number, argv, channel):
        self.role, self.number = role, number
        self.status = None  # its exit status, or the negative number of the signal that ended it
        self.looked = None  # what was seen of it at its end
        self.tail = {}  # descriptor -> the open line
        pipes = [os.pipe() for _ in range(3)]
        self.standard_in = pipes[0][1]
        self.out, self.err = pipes[1][0], pipes[2][0]
        inside = (pipes[0][0], pipes[1][1], pipes[2][1])
        self.own = {number: proc_facts.identity_of(os.fstat(descriptor))
                    for number, descriptor in enumerate((*inside, channel))}
        try:
            self.pid = start(argv, channel, inside)
        except CannotStart:
            self.close()
            raise
        finally:
            for descriptor in inside:
                os.close(descriptor)
        self.pidfd = os.pidfd_open(self.pid)
        for descriptor in (self.out, self.err):
            os.set_blocking(descriptor, False)
            self.tail[descriptor] = b""
        with contextlib.suppress(OSError):
            resource.prlimit(self.pid, resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
            resource.prlimit(self.pid, resource.RLIMIT_CORE, (0, 0))

    def read(self, descriptor):
        """-> (new bytes, lines that are complete now); (None, the open line) at the end."""
        try:
            chunk = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return b"", []
        if not chunk:
            rest = self.tail.pop(descriptor)
            os.close(descriptor)
            if descriptor == self.out:
                self.out = None
            else:
                self.err = None
            return None, [rest] if rest else []
        *lines, self.tail[descriptor] = (self.tail[descriptor] + chunk).split(b"\n")
        return chunk, lines

    def let_go(self):
        """Ends its standard input, which is what a payload at its end waits for."""
        if self.standard_in is not None:
            os.close(self.standard_in)
            self.standard_in = None

    def reap(self):
        """Its status, once the kernel has said that it ended."""
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        os.close(self.pidfd)
        self.pidfd = None

    def kill(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.reap()

    def close(self):
        for descriptor in (self.standard_in, self.out, self.err):
            if descriptor is not None:
                os.close(descriptor)
        self.standard_in = self.out = self.err = None
