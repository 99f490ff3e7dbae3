/* SPDX-License-Identifier: Apache-2.0 */
#include "vmo/vmo.h"

struct status_text {
    const char *name;
    const char *meaning;
};

#define ROW(status, meaning) [status] = {#status, meaning}

static const struct status_text texts[VMO_STATUS_COUNT] = {
    ROW(VMO_OK, "done"),
    ROW(VMO_ERR_INVALID, "an argument is NULL or out of its meaning: fix the call"),
    ROW(VMO_ERR_BAD_HANDLE, "the handle is closed, stale or foreign: fix the call"),
    ROW(VMO_ERR_ZERO_LENGTH, "no bytes were asked for: ask for some"),
    ROW(VMO_ERR_TOO_LARGE, "more than one operation may have: split it, or raise the limit"),
    ROW(VMO_ERR_BOUNDS, "the range reaches past the end: read vmo_len first"),
    ROW(VMO_ERR_QUOTA, "the registry's total of bytes is used up: close something"),
    ROW(VMO_ERR_TABLE_FULL, "the registry's table is full: close something, or size it larger"),
    ROW(VMO_ERR_NO_MEMORY, "the kernel has no memory for it: destroy something"),
    ROW(VMO_ERR_NO_SLOTS, "a table of the kernel is full: close or unmap something"),
    ROW(VMO_ERR_RIGHTS, "the handle lacks the right: ask its sender for more"),
    ROW(VMO_ERR_SEALED, "the seal forbids it, for good"),
    ROW(VMO_ERR_BUSY, "a mapping or an earlier writable transfer forbids it: unmap first"),
    ROW(VMO_ERR_STILL_MAPPED, "a view or mapping of it lives: unmap first"),
    ROW(VMO_ERR_STILL_SHARED, "another task holds it or it is on its way: close the peer first"),
    ROW(VMO_ERR_NOT_AUTHORISED, "the peer is not on the list: vmo_peer_allow"),
    ROW(VMO_ERR_PEER_GONE, "the peer has ended or closed its side: close the peer"),
    ROW(VMO_ERR_QUEUE_FULL, "the kernel queues too many bytes for this owner: let the peer receive"),
    ROW(VMO_ERR_TIMED_OUT, "the deadline passed: try again or give up"),
    ROW(VMO_ERR_PROTOCOL, "the peer's message or claim does not hold: distrust the peer"),
    ROW(VMO_ERR_FRAGMENTED, "the kernel cannot place this mapping where it wants to: map less"),
    ROW(VMO_ERR_UNSUPPORTED, "this backend or kernel cannot do it: use the documented substitute"),
    ROW(VMO_ERR_BACKEND, "the kernel answered what its contract does not say: report it"),
};

static const struct status_text unknown = {"VMO_ERR_?", "not a status of this library"};

static const struct status_text *text_of(vmo_status status)
{
    const unsigned number = (unsigned)status;
    return number < VMO_STATUS_COUNT ? &texts[number] : &unknown;
}

const char *vmo_status_name(vmo_status status)
{
    return text_of(status)->name;
}

const char *vmo_status_str(vmo_status status)
{
    return text_of(status)->meaning;
}
