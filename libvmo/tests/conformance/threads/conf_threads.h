/* SPDX-License-Identifier: Apache-2.0 */
/* The suite as a function. The program links two copies, each with its own variables, and one library. */
#ifndef CONF_THREADS_H
#define CONF_THREADS_H

/* Runs all groups that do not use up a table of the process; returns 0 if each case was ok. The build renames
 * it in each copy. */
int conf_threads_suite(void);

int conf_threads_suite_1(void);
int conf_threads_suite_2(void);

#endif
