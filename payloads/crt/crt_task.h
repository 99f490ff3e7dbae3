/* SPDX-License-Identifier: Apache-2.0 */
/* What a payload's main may rely on beside the C library and libvmo. */
#ifndef CRT_TASK_H
#define CRT_TASK_H

/* Ends the task with a status, 0 for success, after all output is out. A child exits. Init, which must not
 * exit (K-65), yields for ever with the status in a0. */
_Noreturn void task_finish(int status);

#endif
