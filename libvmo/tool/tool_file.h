/* SPDX-License-Identifier: Apache-2.0 */
/* Files as sealed VMOs, and their bytes. Each function prints a message before it fails. */
#ifndef TOOL_FILE_H
#define TOOL_FILE_H

#include <vmo/channel.h>

#include "tool.h"

struct tool_work {
    struct vmo_registry *registry;
    uint64_t deadline_ns; /* of all calls that wait */
    uint64_t max_bytes;   /* of memory for one file; 0: half of this machine's */
};

struct tool_file {
    vmo_t vmo;          /* VMO_NONE if the file is empty */
    uint64_t len_bytes; /* of the file; the VMO may be up to a page longer */
    bool sparse;        /* it has holes, and a view would fill them with memory */
};

/* Opens the registry of a command. */
bool tool_work_begin(struct tool_work *work, uint32_t files);

/* Copies a file, or standard input for "-", into a new VMO and seals it. */
bool tool_fill(const struct tool_work *work, const char *name, vmo_seal_strength seal, struct tool_file *out);

bool tool_hash(const struct tool_work *work, const struct tool_file *file, uint8_t digest[VMO_SHA256_BYTES]);

/* Writes the bytes to a descriptor; `name` is for messages. `may_seek`: holes may stay holes. */
bool tool_write_out(const struct tool_work *work, const struct tool_file *file, int to, const char *name,
                    bool may_seek);

#endif
