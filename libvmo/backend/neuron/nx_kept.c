/* SPDX-License-Identifier: Apache-2.0 */
#include "nx_kept.h"

#include <string.h>

#define LONGEST_BYTES 480 /* longest message that the core sends */

static struct {
    bool full;
    uint32_t channel;
    size_t len;
    struct be_object object;
    uint8_t bytes[LONGEST_BYTES];
} kept;

static bool holds(uint32_t channel)
{
    return kept.full && kept.channel == channel;
}

bool nx_kept_show(uint32_t channel, void *bytes, size_t max, size_t *len, struct be_object *object)
{
    if (!holds(channel) || kept.len > max) {
        return false;
    }
    memcpy(bytes, kept.bytes, kept.len);
    *len = kept.len;
    *object = kept.object;
    return true;
}

bool nx_kept_put(uint32_t channel, const void *bytes, size_t len, const struct be_object *object)
{
    if (holds(channel)) {
        return true;
    }
    if (kept.full || len > sizeof(kept.bytes)) {
        return false;
    }
    kept.full = true;
    kept.channel = channel;
    kept.len = len;
    kept.object = *object;
    memcpy(kept.bytes, bytes, len);
    return true;
}

struct be_object nx_kept_take(uint32_t channel)
{
    if (!holds(channel)) {
        return BE_NO_OBJECT;
    }
    kept.full = false;
    return kept.object;
}
