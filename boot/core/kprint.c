/* SPDX-License-Identifier: Apache-2.0 */
#include "core/kprint.h"

static const char hex_digits[] = "0123456789abcdef";

static void line_flush(struct line *line)
{
    line->write(line->text, line->used);
    line->used = 0;
}

void line_begin(struct line *line, line_write *write)
{
    line->write = write;
    line->used = 0;
}

void line_char(struct line *line, char c)
{
    if (line->used == LINE_BYTES) {
        line_flush(line);
    }
    line->text[line->used++] = c;
}

void line_text(struct line *line, const char *text)
{
    for (; *text != '\0'; text++) {
        line_char(line, *text);
    }
}

void line_decimal(struct line *line, uint64_t value)
{
    char digits[20]; /* 2^64 has 20 */
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (n > 0) {
        line_char(line, digits[--n]);
    }
}

void line_signed(struct line *line, int64_t value)
{
    if (value < 0) {
        line_char(line, '-');
    }
    line_decimal(line, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void line_address(struct line *line, uint64_t value)
{
    unsigned shift = 60;
    while (shift > 0 && value >> shift == 0) {
        shift -= 4;
    }
    line_text(line, "0x");
    for (;; shift -= 4) {
        line_char(line, hex_digits[value >> shift & 15]);
        if (shift == 0) {
            return;
        }
    }
}

void line_hex_bytes(struct line *line, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        line_char(line, hex_digits[bytes[i] >> 4]);
        line_char(line, hex_digits[bytes[i] & 15]);
    }
}

static void line_key(struct line *line, const char *key)
{
    line_char(line, ' ');
    line_text(line, key);
    line_char(line, '=');
}

void line_key_decimal(struct line *line, const char *key, uint64_t value)
{
    line_key(line, key);
    line_decimal(line, value);
}

void line_key_signed(struct line *line, const char *key, int64_t value)
{
    line_key(line, key);
    line_signed(line, value);
}

void line_key_address(struct line *line, const char *key, uint64_t value)
{
    line_key(line, key);
    line_address(line, value);
}

void line_key_text(struct line *line, const char *key, const char *value)
{
    line_key(line, key);
    line_text(line, value);
}

void line_end(struct line *line)
{
    line_char(line, '\n');
    line_flush(line);
}
