/* SPDX-License-Identifier: Apache-2.0 */
/* What a payload's main may use besides the C library and libvmo. */
#ifndef CRT_TASK_H
#define CRT_TASK_H

/* Flushes the output and ends the task; status 0 is success. A child exits. Init must not exit (K-65): it
 * yields for ever with the status in a0. */
_Noreturn void task_finish(int status);

#endif
