/* SPDX-License-Identifier: Apache-2.0 */
/* How a payload lives under the Linux harness (scripts/host-test.sh), which is its parent. */
#ifndef PAYLOADS_LINUX_TASK_H
#define PAYLOADS_LINUX_TASK_H

#define LINUX_CHANNEL 3 /* the descriptor of the socket that the harness opened */

/* Each line goes out as soon as it is whole, so that the harness sees it before what is done next. And when
 * the program ends it closes its standard output and waits for the end of its standard input: in between the
 * harness looks at what it left open. 0 for success. */
int linux_task_begin(void);

#endif
