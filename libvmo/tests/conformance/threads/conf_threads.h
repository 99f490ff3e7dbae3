/* SPDX-License-Identifier: Apache-2.0 */
/* The suite as a function. The program links it twice, each copy with variables of its own, over one library.
 */
#ifndef CONF_THREADS_H
#define CONF_THREADS_H

/* Runs all groups but those that use up a table of the process; 0 if every case was ok. Each copy renames it.
 */
int conf_threads_suite(void);

int conf_threads_suite_1(void);
int conf_threads_suite_2(void);

#endif
