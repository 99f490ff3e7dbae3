# SPDX-License-Identifier: Apache-2.0
"""python3 -m launch MODULE [ARGUMENT...]: runs a module under a supervisor."""
import signal

# Block signals first: a signal that arrives during the imports below then waits for the supervisor.
signal.pthread_sigmask(
    signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}
)

import runpy  # noqa: E402  pylint: disable=wrong-import-position
import sys  # noqa: E402  pylint: disable=wrong-import-position

import supervise  # noqa: E402  pylint: disable=wrong-import-position

if __name__ == "__main__":
    supervise.enter()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
