/* SPDX-License-Identifier: Apache-2.0 */
/* Formats a line of text: numbers, bytes, and the key=value pairs of the audit. */
#ifndef CORE_KPRINT_H
#define CORE_KPRINT_H

#include <stddef.h>
#include <stdint.h>

#define LINE_BYTES 256

typedef void line_write(const char *bytes, size_t n);

/* A line of any length. A full buffer is written out before more is added. */
struct line {
    line_write *write;
    size_t used;
    char text[LINE_BYTES];
};

void line_begin(struct line *line, line_write *write);
void line_text(struct line *line, const char *text);
void line_char(struct line *line, char c);
void line_decimal(struct line *line, uint64_t value);
void line_signed(struct line *line, int64_t value);
void line_address(struct line *line, uint64_t value);                   /* 0x1f */
void line_hex_bytes(struct line *line, const uint8_t *bytes, size_t n); /* 001f */

/* Add " key=" and the value, the form of audit lines. */
void line_key_decimal(struct line *line, const char *key, uint64_t value);
void line_key_signed(struct line *line, const char *key, int64_t value);
void line_key_address(struct line *line, const char *key, uint64_t value);
void line_key_text(struct line *line, const char *key, const char *value);

/* Ends the line with '\n' and writes the rest of it. */
void line_end(struct line *line);

#endif
