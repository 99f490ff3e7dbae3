/* SPDX-License-Identifier: Apache-2.0 */
/* The messages between vmo send and vmo recv: the file, perhaps its digest, and the receiver's answer. */
#ifndef TOOL_HANDOVER_H
#define TOOL_HANDOVER_H

#include <vmo/channel.h>

#include "tool_file.h"

enum { HANDOVER_FILE = 0x766d6f01, HANDOVER_DIGEST = 0x766d6f02, HANDOVER_ANSWER = 0x766d6f03 };

struct handover_file {
    uint64_t len_bytes;
    uint8_t sparse;
    uint8_t digest_follows;
    uint8_t zero[6];
};

struct handover_digest {
    uint8_t digest[VMO_SHA256_BYTES];
};

struct handover_answer {
    uint8_t taken;      /* 0: the receiver failed */
    uint8_t has_digest; /* 0: the receiver computed none */
    uint8_t digest[VMO_SHA256_BYTES];
};

/* The options that both commands have. */
enum { HANDOVER_NO_DIGEST = 300, HANDOVER_TIMEOUT, HANDOVER_PROGRESS, HANDOVER_MAX };

struct handover {
    struct tool_work work;
    const char *socket;
    const char *file; /* to send; where to write, or NULL */
    bool digest;
    bool has_timeout;
    vmo_peer_t peer;
};

/* Sets an option of both. False after a message. */
bool handover_set(struct handover *handover, int option, const char *value);

/* Starts the time of --timeout and opens the library. */
bool handover_begin(struct handover *handover);

/* Makes a peer of a connected socket, of which the library becomes the owner. */
bool handover_open(struct handover *handover, int end);

bool handover_send(const struct handover *handover, uint32_t tag, const void *body, uint16_t body_bytes,
                   vmo_t vmo);

/* Receives the next message, which must have this tag and length. */
bool handover_receive(const struct handover *handover, uint32_t tag, void *body, uint16_t body_bytes,
                      vmo_t *vmo);

/* The last step: prints the digest. */
void handover_print(const struct handover *handover, const uint8_t digest[VMO_SHA256_BYTES], bool to_stderr);

#endif
