/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "vmo/vmo.h"

/* Name and meaning of each status, in the order of the numbers: strings without a table of pointers. */
#define TEXT(status, meaning) #status "\0" meaning "\0"

static const char texts[] =
    /* clang-format off */
    TEXT(VMO_OK, "done")
    TEXT(VMO_ERR_INVALID, "bad argument: fix the call")
    TEXT(VMO_ERR_BAD_HANDLE, "closed, stale or foreign handle: fix the call")
    TEXT(VMO_ERR_ZERO_LENGTH, "no bytes asked for: ask for some")
    TEXT(VMO_ERR_TOO_LARGE, "too much at once: split it, or raise the limit")
    TEXT(VMO_ERR_BOUNDS, "past the end: read vmo_len first")
    TEXT(VMO_ERR_QUOTA, "the quota is used up: close something")
    TEXT(VMO_ERR_TABLE_FULL, "the table is full: close something")
    TEXT(VMO_ERR_NO_MEMORY, "the kernel is out of memory: destroy something")
    TEXT(VMO_ERR_NO_SLOTS, "a table of the kernel is full: close something")
    TEXT(VMO_ERR_RIGHTS, "the handle lacks the right: ask its sender")
    TEXT(VMO_ERR_SEALED, "the seal forbids it, for good")
    TEXT(VMO_ERR_BUSY, "mapped, or handed over writable: unmap first")
    TEXT(VMO_ERR_STILL_MAPPED, "mapped: unmap first")
    TEXT(VMO_ERR_STILL_SHARED, "held elsewhere: close the peer first")
    TEXT(VMO_ERR_NOT_AUTHORISED, "the peer is not on the list: vmo_peer_allow")
    TEXT(VMO_ERR_PEER_GONE, "the peer has ended: close it")
    TEXT(VMO_ERR_QUEUE_FULL, "too many bytes queued: let the peer receive")
    TEXT(VMO_ERR_TIMED_OUT, "the deadline passed: try again or give up")
    TEXT(VMO_ERR_PROTOCOL, "the peer's claim does not hold: distrust it")
    TEXT(VMO_ERR_FRAGMENTED, "the kernel cannot place it: map less")
    TEXT(VMO_ERR_UNSUPPORTED, "not on this kernel: use the substitute")
    TEXT(VMO_ERR_NOT_SEALED, "not sealed as required: dropped")
    TEXT(VMO_ERR_NOT_REAPED, "an ended child has it mapped: vmo_peer_wait")
    TEXT(VMO_ERR_BACKEND, "undocumented kernel error: report it")
    TEXT(VMO_ERR_STORAGE, "storage too small: supply more")
    TEXT(VMO_ERR_IO, "the file's device failed: check the device")
    "VMO_ERR_?\0not a status of this library";
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
