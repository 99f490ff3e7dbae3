/* SPDX-License-Identifier: Apache-2.0 */
#include "ref_spec.h"

#include <stddef.h>
#include <string.h>

enum number { NUMBER_OK, NUMBER_DIGITS, NUMBER_TOO_BIG };

static uint64_t digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (uint64_t)(digit - '0');
    if (digit >= 'a' && digit <= 'f')
        return (uint64_t)(digit - 'a') + 10;
    if (digit >= 'A' && digit <= 'F')
        return (uint64_t)(digit - 'A') + 10;
    return UINT64_MAX;
}

/* strtoull is no help here: it takes signs, spaces and octal. Bad digits outrank an overflow. */
static enum number number_read(uint64_t *value, const char *from, size_t len, uint64_t base)
{
    uint64_t sum = 0;
    bool over = false;

    if (len == 0)
        return NUMBER_DIGITS;
    for (size_t i = 0; i < len; i++) {
        uint64_t digit = digit_value(from[i]);

        if (digit >= base)
            return NUMBER_DIGITS;
        over = over || sum > (UINT64_MAX - digit) / base;
        sum = sum * base + digit;
    }
    if (over)
        return NUMBER_TOO_BIG;
    *value = sum;
    return NUMBER_OK;
}

static enum ref_spec_status seed_read(uint64_t *seed, const char *from, size_t len)
{
    bool hex = len >= 2 && from[0] == '0' && from[1] == 'x';
    size_t skip = hex ? 2 : 0;

    switch (number_read(seed, from + skip, len - skip, hex ? 16 : 10)) {
    case NUMBER_DIGITS:
        return REF_SPEC_SEED_DIGITS;
    case NUMBER_TOO_BIG:
        return REF_SPEC_SEED_TOO_BIG;
    case NUMBER_OK:
        break;
    }
    return REF_SPEC_OK;
}

static enum ref_spec_status len_read(uint64_t *len_bytes, const char *from)
{
    switch (number_read(len_bytes, from, strlen(from), 10)) {
    case NUMBER_DIGITS:
        return REF_SPEC_LEN_DIGITS;
    case NUMBER_TOO_BIG:
        return REF_SPEC_LEN_TOO_BIG;
    case NUMBER_OK:
        break;
    }
    if (*len_bytes == 0)
        return REF_SPEC_LEN_ZERO;
    return *len_bytes > REF_GEN_BYTES_MAX ? REF_SPEC_LEN_TOO_BIG : REF_SPEC_OK;
}

enum ref_spec_status ref_spec_parse(struct ref_spec *spec, const char *text)
{
    struct ref_spec read = {.text = text};

    if (strncmp(text, "gen:", 4) == 0) {
        const char *seed = text + 4;
        const char *colon = strchr(seed, ':');
        enum ref_spec_status status;

        if (colon == NULL || strchr(colon + 1, ':') != NULL)
            return REF_SPEC_NOT_TWO;
        read.generated = true;
        status = seed_read(&read.seed, seed, (size_t)(colon - seed));
        if (status == REF_SPEC_OK)
            status = len_read(&read.len_bytes, colon + 1);
        if (status != REF_SPEC_OK)
            return status;
    }
    *spec = read;
    return REF_SPEC_OK;
}

const char *ref_spec_reason(enum ref_spec_status status)
{
    switch (status) {
    case REF_SPEC_OK:
        break;
    case REF_SPEC_NOT_TWO:
        return "a generated payload is written gen:<seed>:<len>";
    case REF_SPEC_SEED_DIGITS:
        return "the seed must be decimal digits, or 0x and hex digits";
    case REF_SPEC_SEED_TOO_BIG:
        return "the seed must fit into 64 bits";
    case REF_SPEC_LEN_DIGITS:
        return "the length must be decimal digits";
    case REF_SPEC_LEN_ZERO:
        return "the length must be at least 1 byte";
    case REF_SPEC_LEN_TOO_BIG:
        return "the length is over the limit of 4194304 bytes";
    }
    return "";
}
