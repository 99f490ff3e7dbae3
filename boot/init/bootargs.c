/* SPDX-License-Identifier: Apache-2.0 */
#include "init/bootargs.h"

#include <string.h>

#include "nexus_abi.h"

enum { NONCE_MIN = 16, NONCE_MAX = 64, WATCHDOG_MS_MAX = 600000 };

_Static_assert(sizeof(((struct kernel_config *)0)->nonce) == NONCE_MAX + 1, "the nonce and its NUL");
_Static_assert(NX_SYS_COUNT == 64, "kernel_config.without has a bit for every call");

/* Part of the line, not NUL-terminated. */
struct span {
    const char *text;
    size_t bytes;
};

static bool span_is(struct span span, const char *text)
{
    return span.bytes == strlen(text) && memcmp(span.text, text, span.bytes) == 0;
}

/* The span up to the first `stop`, or all of it. *rest is the text after the stop, or NULL. */
static struct span cut(struct span span, char stop, const char **rest)
{
    const char *at = memchr(span.text, stop, span.bytes);
    *rest = at == NULL ? NULL : at + 1;
    return (struct span){span.text, at == NULL ? span.bytes : (size_t)(at - span.text)};
}

/* Parses a decimal number from min to max: digits only, at least one. */
static bool number(struct span span, uint64_t min, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < span.bytes; i++) {
        uint64_t digit = (uint64_t)(unsigned char)span.text[i] - '0';
        if (digit > 9 || sum > (UINT64_MAX - digit) / 10) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    if (span.bytes == 0 || sum < min || sum > max) {
        return false;
    }
    *value = sum;
    return true;
}

static bool number32(struct span span, uint32_t min, uint32_t max, uint32_t *value)
{
    uint64_t wide;
    if (!number(span, min, max, &wide)) {
        return false;
    }
    *value = (uint32_t)wide;
    return true;
}

static bool set_abi(struct kernel_config *config, struct span value)
{
    if (span_is(value, "a1")) {
        config->revision = REVISION_A1;
    } else if (span_is(value, "a2")) {
        config->revision = REVISION_A2;
    } else {
        return false;
    }
    return true;
}

static bool set_nonce(struct kernel_config *config, struct span value)
{
    if (value.bytes < NONCE_MIN || value.bytes > NONCE_MAX) {
        return false;
    }
    for (size_t i = 0; i < value.bytes; i++) {
        if (memchr("0123456789abcdef", value.text[i], 16) == NULL) {
            return false;
        }
    }
    memset(config->nonce, 0, sizeof(config->nonce));
    memcpy(config->nonce, value.text, value.bytes);
    return true;
}

static bool set_hashes(struct kernel_config *config, struct span value)
{
    if (!span_is(value, "0") && !span_is(value, "1")) {
        return false;
    }
    config->hashes = span_is(value, "1");
    return true;
}

static bool set_without(struct kernel_config *config, struct span value)
{
    const char *end = value.text + value.bytes, *rest = value.text;
    config->without = 0;
    while (rest != NULL) {
        struct span item = cut((struct span){rest, (size_t)(end - rest)}, ',', &rest);
        uint64_t call;
        if (!number(item, 0, NX_SYS_COUNT - 1, &call)) {
            return false;
        }
        config->without |= (uint64_t)1 << call;
    }
    return true;
}

static bool set_watchdog(struct kernel_config *config, struct span value)
{
    return number(value, 1, WATCHDOG_MS_MAX, &config->watchdog_ms);
}

/* A limit cannot be 0, which means the revision's default, nor exceed the larger of both revisions' limits,
 * which sizes the kernel's tables. */
static bool set_arena(struct kernel_config *config, struct span value)
{
    return number(value, NX_PAGE_BYTES, NX_ARENA_BYTES_A2, &config->arena_bytes) &&
           config->arena_bytes % NX_PAGE_BYTES == 0;
}

static bool set_slots(struct kernel_config *config, struct span value)
{
    return number32(value, 2, NX_SLOTS_A2, &config->slots);
}

static bool set_ep_ids(struct kernel_config *config, struct span value)
{
    return number32(value, 1, NX_EP_IDS_A2, &config->ep_ids);
}

static bool set_tables(struct kernel_config *config, struct span value)
{
    return number32(value, 1, UINT32_MAX, &config->tables);
}

static bool set_regions(struct kernel_config *config, struct span value)
{
    return number32(value, 1, NX_REGIONS_MAX, &config->regions);
}

static bool set_ep_owner(struct kernel_config *config, struct span value)
{
    return number32(value, 1, NX_EP_OWNER_A2, &config->ep_owner);
}

static const struct argument {
    const char *key;
    bool (*set)(struct kernel_config *config, struct span value);
} arguments[] = {
    {"abi", set_abi},           {"nonce", set_nonce},
    {"without", set_without},   {"watchdog_ms", set_watchdog},
    {"arena_bytes", set_arena}, {"slots", set_slots},
    {"ep_ids", set_ep_ids},     {"tables", set_tables},
    {"regions", set_regions},   {"ep_owner", set_ep_owner},
    {"hashes", set_hashes},
};

enum { ARGUMENTS = sizeof(arguments) / sizeof(arguments[0]) };

/* Parses one word; *seen has a bit for every key that the line has already set. */
static enum bootargs_status parse_word(struct span word, struct kernel_config *config, uint32_t *seen)
{
    const char *value;
    struct span key = cut(word, '=', &value);
    uint32_t which = 0;
    while (which < ARGUMENTS && !span_is(key, arguments[which].key)) {
        which++;
    }
    if (which == ARGUMENTS) {
        return BOOTARGS_UNKNOWN_KEY;
    }
    if (value == NULL || value == word.text + word.bytes) {
        return BOOTARGS_NO_VALUE;
    }
    if (!arguments[which].set(config, (struct span){value, (size_t)(word.text + word.bytes - value)})) {
        return BOOTARGS_BAD_VALUE;
    }
    if ((*seen & 1u << which) != 0) {
        return BOOTARGS_REPEATED;
    }
    *seen |= 1u << which;
    return BOOTARGS_OK;
}

enum bootargs_status bootargs_parse(const char *line, struct kernel_config *config, const char **where)
{
    struct kernel_config draft = *config;
    const char *end = line + strlen(line), *rest = line == end ? NULL : line;
    uint32_t seen = 0;
    while (rest != NULL) {
        struct span word = cut((struct span){rest, (size_t)(end - rest)}, ' ', &rest);
        enum bootargs_status status = parse_word(word, &draft, &seen);
        if (status != BOOTARGS_OK) {
            *where = word.text;
            return status;
        }
    }
    *config = draft;
    return BOOTARGS_OK;
}

const char *bootargs_status_name(enum bootargs_status status)
{
    static const char *const names[] = {
        [BOOTARGS_OK] = "ok",
        [BOOTARGS_UNKNOWN_KEY] = "unknown-key",
        [BOOTARGS_NO_VALUE] = "no-value",
        [BOOTARGS_BAD_VALUE] = "bad-value",
        [BOOTARGS_REPEATED] = "repeated",
    };
    return (size_t)status < sizeof(names) / sizeof(names[0]) ? names[status] : "unknown";
}
