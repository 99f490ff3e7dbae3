/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "vmo/vmo.h"

/* Name and meaning of each status, in the order of the numbers: strings without a table of pointers. */
#define TEXT(status, meaning) #status "\0" meaning "\0"

static const char texts[] =
    /* clang-format off */
    TEXT(VMO_OK, "done")
    TEXT(VMO_ERR_INVALID, "bad argument: fix the call")
    TEXT(VMO_ERR_BAD_HANDLE, "closed or foreign handle: fix the call")
    TEXT(VMO_ERR_ZERO_LENGTH, "no bytes: ask for some")
    TEXT(VMO_ERR_TOO_LARGE, "too much: split it or raise the limit")
    TEXT(VMO_ERR_BOUNDS, "past the end: ask vmo_len")
    TEXT(VMO_ERR_QUOTA, "quota used up: close something")
    TEXT(VMO_ERR_TABLE_FULL, "table full: close something")
    TEXT(VMO_ERR_NO_MEMORY, "out of memory: destroy something")
    TEXT(VMO_ERR_NO_SLOTS, "kernel table full: close something")
    TEXT(VMO_ERR_RIGHTS, "right missing: ask the sender")
    TEXT(VMO_ERR_SEALED, "sealed for good")
    TEXT(VMO_ERR_BUSY, "in use: end that use")
    TEXT(VMO_ERR_STILL_MAPPED, "mapped: unmap")
    TEXT(VMO_ERR_STILL_SHARED, "held elsewhere: close that")
    TEXT(VMO_ERR_NOT_AUTHORISED, "not allowed: vmo_peer_allow")
    TEXT(VMO_ERR_PEER_GONE, "peer ended: close it")
    TEXT(VMO_ERR_QUEUE_FULL, "queue full: let the peer receive")
    TEXT(VMO_ERR_TIMED_OUT, "deadline passed: try again")
    TEXT(VMO_ERR_PROTOCOL, "false claim: distrust the peer")
    TEXT(VMO_ERR_FRAGMENTED, "no place: map less")
    TEXT(VMO_ERR_UNSUPPORTED, "not on this kernel: see the manual")
    TEXT(VMO_ERR_NOT_SEALED, "sealed weakly: ask the peer")
    TEXT(VMO_ERR_NOT_REAPED, "mapped by an ended child: vmo_peer_wait")
    TEXT(VMO_ERR_BACKEND, "undocumented error: report it")
    TEXT(VMO_ERR_STORAGE, "storage too small: give more")
    TEXT(VMO_ERR_IO, "device error: check it")
    TEXT(VMO_ERR_EXPELLED, "expelled: leave")
    "VMO_ERR_?\0no such status";
/* clang-format on */

/* The name of a status, or with `part` 1 its meaning. */
static const char *text_of(vmo_status status, unsigned part)
{
    const unsigned number = (unsigned)status < VMO_STATUS_COUNT ? (unsigned)status : VMO_STATUS_COUNT;
    const char *text = texts;

    for (unsigned left = 2 * number + part; left; left--) {
        text += strlen(text) + 1;
    }
    return text;
}

const char *vmo_status_name(vmo_status status)
{
    return text_of(status, 0);
}

const char *vmo_status_str(vmo_status status)
{
    return text_of(status, 1);
}
