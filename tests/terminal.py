# SPDX-License-Identifier: Apache-2.0
"""Runs a program on a terminal of its own, for suites about what people see. Waits for conditions, never for a time."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

LIMIT_SECONDS = 60
ROWS = 24


def until(condition):
    """Waits for another process: polls the condition -> whether it came true."""
    end = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Terminal:
    """A program whose standard streams and controlling terminal are a pty."""

    def __init__(self, words, columns=80, output=None, **more):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.text = ""
        self.process = subprocess.Popen(words, stdin=slave, stdout=output or slave, stderr=slave, start_new_session=True,
                                        close_fds=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **more)
        self.slave = slave

    def type(self, text):
        os.write(self.master, text)

    def read(self):
        """Takes what the program has written, without waiting long."""
        while select.select([self.master], [], [], 0.02)[0]:
            self.text += os.read(self.master, 65536).decode()
        return self.text

    def shows(self, pattern):
        return until(lambda: re.search(pattern, self.read()))

    def end(self):
        """Reads until the end -> (exit status, all that was shown, whether the settings are as before)."""
        end = time.monotonic() + LIMIT_SECONDS
        while self.process.poll() is None and time.monotonic() < end:
            self.read()
        status = self.process.wait(1)
        self.read()
        same = termios.tcgetattr(self.slave) == self.before
        os.close(self.slave)
        os.close(self.master)
        return status, self.text, same
