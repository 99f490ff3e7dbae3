# SPDX-License-Identifier: Apache-2.0
"""The witness: watches both tasks of the proof through QEMU's gdb stub, whatever the kernel is.

stub speaks the protocol, text finds a program's ecalls, sv39 walks page tables, model makes of the
calls the records that the judge reads, watch joins them. docs/testing/witness.md has the argument.
"""
