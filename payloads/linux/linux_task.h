/* SPDX-License-Identifier: Apache-2.0 */
/* Start and end of a payload under its parent, the Linux harness (scripts/host-test.sh). */
#ifndef PAYLOADS_LINUX_TASK_H
#define PAYLOADS_LINUX_TASK_H

#define LINUX_CHANNEL 3 /* the descriptor of the socket that the harness opened */

/* Makes stdout line-buffered, so that the harness reads a line before the program's next step. Registers an
 * exit handler that closes stdout and waits until stdin ends; meanwhile the harness inspects the descriptors
 * and mappings that the program left open. Returns 0 for success, -1 otherwise. */
int linux_task_begin(void);

#endif
