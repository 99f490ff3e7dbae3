/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console: who wrote which line. What a task writes passes straight through. Of the open line the
 * kernel remembers the writer and the beginning: for the audit, and to start its own lines afresh.
 */
#ifndef CORE_CONSOLE_H
#define CORE_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/kprint.h"

void console_init(void);

/* `by`: a pid, or AUDIT_BY_KERNEL. */
void console_write(uint32_t by, const char *bytes, size_t n);

/* Ends a line that a task left open. */
void console_end_open_line(void);

/* Begins a line of the kernel's own; line_end puts it on the console. */
void console_begin(struct line *line);

#endif
