/* SPDX-License-Identifier: Apache-2.0 */
#include "vmo/vmo.h"

struct status_text {
    const char *name;
    const char *meaning;
};

#define ROW(status, meaning) [status] = {#status, meaning}

static const struct status_text texts[VMO_STATUS_COUNT] = {
    ROW(VMO_OK, "done"),
    ROW(VMO_ERR_INVALID, "bad argument: fix the call"),
    ROW(VMO_ERR_BAD_HANDLE, "closed, stale or foreign handle: fix the call"),
    ROW(VMO_ERR_ZERO_LENGTH, "no bytes asked for: ask for some"),
    ROW(VMO_ERR_TOO_LARGE, "too much at once: split it, or raise the limit"),
    ROW(VMO_ERR_BOUNDS, "past the end: read vmo_len first"),
    ROW(VMO_ERR_QUOTA, "the quota is used up: close something"),
    ROW(VMO_ERR_TABLE_FULL, "the table is full: close something"),
    ROW(VMO_ERR_NO_MEMORY, "the kernel is out of memory: destroy something"),
    ROW(VMO_ERR_NO_SLOTS, "a table of the kernel is full: close something"),
    ROW(VMO_ERR_RIGHTS, "the handle lacks the right: ask its sender"),
    ROW(VMO_ERR_SEALED, "the seal forbids it, for good"),
    ROW(VMO_ERR_BUSY, "mapped, or handed over writable: unmap first"),
    ROW(VMO_ERR_STILL_MAPPED, "mapped: unmap first"),
    ROW(VMO_ERR_STILL_SHARED, "held elsewhere: close the peer first"),
    ROW(VMO_ERR_NOT_AUTHORISED, "the peer is not on the list: vmo_peer_allow"),
    ROW(VMO_ERR_PEER_GONE, "the peer has ended: close it"),
    ROW(VMO_ERR_QUEUE_FULL, "too many bytes queued: let the peer receive"),
    ROW(VMO_ERR_TIMED_OUT, "the deadline passed: try again or give up"),
    ROW(VMO_ERR_PROTOCOL, "the peer's claim does not hold: distrust it"),
    ROW(VMO_ERR_FRAGMENTED, "the kernel cannot place it: map less"),
    ROW(VMO_ERR_UNSUPPORTED, "not on this kernel: use the substitute"),
    ROW(VMO_ERR_NOT_SEALED, "not sealed as required: dropped"),
    ROW(VMO_ERR_NOT_REAPED, "an ended child has it mapped: vmo_peer_wait"),
    ROW(VMO_ERR_BACKEND, "undocumented kernel error: report it"),
    ROW(VMO_ERR_STORAGE, "storage too small: supply more"),
    ROW(VMO_ERR_IO, "the file's device failed: check the device"),
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
