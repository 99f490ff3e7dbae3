/* SPDX-License-Identifier: Apache-2.0 */
/* What vmo send and vmo recv share. */
#include <string.h>
#include <unistd.h>

#include "tool_handover.h"

bool handover_set(struct handover *handover, int option, const char *value)
{
    uint64_t ns = 0;

    switch (option) {
    case HANDOVER_NO_DIGEST:
        handover->digest = false;
        return true;
    case HANDOVER_MAX:
        return tool_number("--max", value, INT64_MAX, &handover->work.max_bytes);
    case HANDOVER_TIMEOUT:
        if (!tool_seconds("--timeout", value, &ns)) {
            return false;
        }
        handover->has_timeout = true;
        handover->work.deadline_ns = ns; /* handover_begin adds the present time */
        return true;
    default:
        return tool_progress_when(value);
    }
}

bool handover_begin(struct handover *handover)
{
    struct tool_work *const work = &handover->work;

    if (!tool_work_begin(work, 1)) {
        return false;
    }
    if (handover->has_timeout) {
        tool_limit_time(work->deadline_ns);
    }
    work->deadline_ns =
        handover->has_timeout ? vmo_now_ns(work->registry) + work->deadline_ns : VMO_FOREVER_NS;
    return true;
}

static bool say(const struct handover *handover, vmo_status status)
{
    if (status != VMO_OK) {
        (void)tool_say_status(handover->socket, status);
    }
    return status == VMO_OK;
}

bool handover_open(struct handover *handover, int end)
{
    const vmo_status status = vmo_peer_open(handover->work.registry, end, &handover->peer);

    if (status != VMO_OK) {
        (void)close(end);
    }
    return say(handover, status);
}

bool handover_send(const struct handover *handover, uint32_t tag, const void *body, uint16_t body_bytes,
                   vmo_t vmo)
{
    const struct vmo_message message = {.tag = tag,
                                        .vmo = vmo,
                                        .rights = vmo.id != 0 ? VMO_RIGHT_READ : 0,
                                        .body = body,
                                        .body_bytes = body_bytes};

    return say(handover,
               vmo_send(handover->work.registry, handover->peer, &message, handover->work.deadline_ns));
}

bool handover_receive(const struct handover *handover, uint32_t tag, void *body, uint16_t body_bytes,
                      vmo_t *vmo)
{
    struct vmo_incoming message;
    const vmo_status status =
        vmo_recv(handover->work.registry, handover->peer, &message, handover->work.deadline_ns);

    if (status != VMO_OK) {
        return say(handover, status);
    }
    if (message.tag != tag || message.body_bytes != body_bytes || (vmo == NULL && message.vmo.id != 0)) {
        tool_say(handover->socket, "the other side is no vmo command of this version");
        return false;
    }
    memcpy(body, message.body, body_bytes);
    if (vmo != NULL) {
        *vmo = message.vmo;
    }
    return true;
}

void handover_print(const struct handover *handover, const uint8_t digest[VMO_SHA256_BYTES], bool to_stderr)
{
    tool_print_digest(to_stderr ? stderr : stdout, digest, handover->file != NULL ? handover->file : "-");
}
