/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console. Output is printed at once. The kernel records the author and the first bytes of the open line
 * for the audit, and ends that line before it prints a line of its own.
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

/* Begins a kernel line; line_end prints it. */
void console_begin(struct line *line);

#endif
