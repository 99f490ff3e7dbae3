/* SPDX-License-Identifier: Apache-2.0 */
/* debug_putc and debug_write (K-66). */
#include "core/checked.h"
#include "core/console.h"
#include "core/usercopy.h"
#include "sys/handlers.h"

int64_t sys_debug_putc(struct task *self, const uint64_t *args)
{
    const uint8_t byte = (uint8_t)args[0];
    const char c = (char)byte;
    if (byte < 0x80) {
        console_write(self->pid, &c, 1);
    }
    return byte;
}

/* The length of a sequence with this first byte, or 0 if none starts with it. The bounds of the second byte
 * exclude overlong forms, surrogates and values beyond 0x10FFFF. */
static size_t utf8_length(uint8_t first, uint8_t *second_min, uint8_t *second_max)
{
    *second_min = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    *second_max = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        return 2;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        return 3;
    }
    return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

static bool is_utf8(const uint8_t *bytes, size_t n)
{
    size_t length;
    for (size_t at = 0; at < n; at += length) {
        uint8_t min, max;
        length = utf8_length(bytes[at], &min, &max);
        if (length == 0 || length > n - at) {
            return false;
        }
        for (size_t i = 1; i < length; i++) {
            if (bytes[at + i] < min || bytes[at + i] > max) {
                return false;
            }
            min = 0x80;
            max = 0xBF;
        }
    }
    return true;
}

int64_t sys_debug_write(struct task *self, const uint64_t *args)
{
    uint8_t text[NX_DEBUG_WRITE_MAX];
    struct user_range range;
    const size_t n = (size_t)min_u64(args[1], sizeof(text));
    if (!user_range_check(self, args[0], n, NX_PROT_READ, &range)) {
        return -NX_EINVAL;
    }
    user_read(&range, 0, text, n);
    if (is_utf8(text, n)) {
        console_write(self->pid, (const char *)text, n);
    }
    return (int64_t)n;
}
