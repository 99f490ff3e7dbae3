/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console and a builder for the kernel's own lines. Task output passes straight through; the
 * kernel remembers of the open line who wrote it and how it begins: for the audit, and so that its own
 * lines start on a fresh one.
 */
#ifndef CORE_KPRINT_H
#define CORE_KPRINT_H

#include <stddef.h>
#include <stdint.h>

#define LINE_BYTES 256

/* A line of any length: what does not fit the buffer is on the console already. */
struct line {
    size_t used;
    char text[LINE_BYTES];
};

void console_init(void);

/* `by`: a pid, or AUDIT_BY_KERNEL. */
void console_write(uint32_t by, const char *bytes, size_t n);
void console_end_open_line(void);

void line_begin(struct line *line);
void line_text(struct line *line, const char *text);
void line_char(struct line *line, char c);
void line_decimal(struct line *line, uint64_t value);
void line_signed(struct line *line, int64_t value);
void line_address(struct line *line, uint64_t value);                   /* 0x1f */
void line_hex_bytes(struct line *line, const uint8_t *bytes, size_t n); /* 001f */

/* " key=" and the value: the shape of audit lines. */
void line_key_decimal(struct line *line, const char *key, uint64_t value);
void line_key_signed(struct line *line, const char *key, int64_t value);
void line_key_address(struct line *line, const char *key, uint64_t value);
void line_key_text(struct line *line, const char *key, const char *value);

/* Ends the line with '\n' and puts it on the console. */
void line_end(struct line *line);

#endif
