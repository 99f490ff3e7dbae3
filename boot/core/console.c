/* SPDX-License-Identifier: Apache-2.0 */
#include "core/console.h"

#include <stdbool.h>

#include "core/audit.h"
#include "core/port.h"

static struct audit_console open_line;
static bool line_is_open;

void console_init(void)
{
    line_is_open = false;
}

static void end_line(void)
{
    audit_console(&open_line);
    line_is_open = false;
}

/* Adds a byte to the record of the open line. */
static void note(uint32_t by, char byte)
{
    if (!line_is_open) {
        audit_console_opened();
        open_line = (struct audit_console){.by = by};
    } else if (open_line.by != by) {
        open_line.by = AUDIT_BY_SEVERAL;
    }
    line_is_open = true;
    if (byte == '\n') {
        end_line();
        return;
    }
    if (open_line.len < AUDIT_HEAD_BYTES) {
        open_line.head[open_line.len] = (uint8_t)byte;
    }
    open_line.len++;
}

void console_write(uint32_t by, const char *bytes, size_t n)
{
    port_console(bytes, n);
    for (size_t i = 0; i < n; i++) {
        note(by, bytes[i]);
    }
}

/* The record does not count the kernel as an author of the line. */
void console_end_open_line(void)
{
    if (!line_is_open) {
        return;
    }
    port_console("\n", 1);
    end_line();
}

static void write_as_kernel(const char *bytes, size_t n)
{
    console_write(AUDIT_BY_KERNEL, bytes, n);
}

void console_begin(struct line *line)
{
    console_end_open_line();
    line_begin(line, write_as_kernel);
}
