/* SPDX-License-Identifier: Apache-2.0 */
/* The payload's stdout, which is line-buffered. */
#ifndef CRT_CONSOLE_H
#define CRT_CONSOLE_H

/* Writes out an unfinished line. */
void console_flush(void);

#endif
