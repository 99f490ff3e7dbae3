/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that init sends to itself without moving a capability (K-50..K-53, K-59). */
#include "probe/probe.h"

#define DEPTH 2
#define SMALL 16
#define SHORT 8
#define TYPE 0x1234
#define PASSED_NS 1
#define UNKNOWN_IPC_FLAG 0x100
#define SOON_NS UINT64_C(10000000)

static uint8_t buf[PATTERN_BYTES];

static int64_t post_bytes(uint64_t endpoint, uint64_t len)
{
    const struct nx_ipc_hdr hdr = {.src = 77, .dst = 78, .type = TYPE, .len = (uint32_t)len};
    return post(endpoint, &hdr, pattern());
}

static void one_message(uint64_t endpoint)
{
    struct nx_ipc_hdr hdr = {.src = 79, .dst = 80};
    row_len("K-50.send", "ipc_send", "16 bytes", post_bytes(endpoint, SMALL), SMALL);
    const int64_t answer = take(endpoint, &hdr, buf, SMALL);
    row_len("K-50.recv", "ipc_recv", "16 bytes", answer, SMALL);
    row("K-50.src", "ipc_recv", "src in the header", hdr.src);
    row_if("K-50.dst", "ipc_recv", "dst in the header", hdr.dst == NX_PID_INIT, "own-pid", answer);
    row_if("K-50.type", "ipc_recv", "type in the header", hdr.type == TYPE, "kept", answer);
    row_len("K-50.len", "ipc_recv", "len in the header", hdr.len, SMALL);
    row_if("K-50.payload", "ipc_recv", "the payload", shows(buf, pattern(), SMALL), "same-bytes", answer);
}

static void sizes(uint64_t endpoint)
{
    const uint64_t max = probe_message_max();
    struct nx_ipc_hdr hdr;
    row("K-50.send-nothing", "ipc_send", "length 0", post_bytes(endpoint, 0));
    row("K-50.recv-nothing", "ipc_recv", "length 0", take(endpoint, &hdr, buf, SMALL));
    row_len("K-50.send-maximum", "ipc_send", "the maximum", post_bytes(endpoint, max), max);
    const int64_t answer = take(endpoint, &hdr, buf, max);
    row_len("K-50.recv-maximum", "ipc_recv", "the maximum", answer, max);
    row_if("K-50.maximum-payload", "ipc_recv", "its payload", shows(buf, pattern(), max), "same-bytes",
           answer);
    row("K-50.over", "ipc_send", "one byte over the maximum", post_bytes(endpoint, max + 1));
}

void probe_ipc(void)
{
    const uint64_t endpoint = new_endpoint(DEPTH);
    struct nx_ipc_hdr hdr;
    row("K-52.empty", "ipc_recv", "nonblock, nothing there", take(endpoint, &hdr, buf, SMALL));
    ROW("K-52.passed", "nothing there, deadline passed", NX_SYS_IPC_RECV, endpoint, at(&hdr), at(buf), SMALL,
        0, PASSED_NS);
    one_message(endpoint);
    sizes(endpoint);
    (void)CALL(NX_SYS_EP_CLOSE, endpoint);
}

/* K-51: the order of the checks. Every call is refused. */
static void send_order(uint64_t endpoint)
{
    const uint64_t max = probe_message_max();
    const struct nx_ipc_hdr good = {.len = SMALL}, over = {.len = (uint32_t)max + 1},
                            other = {.len = SMALL + 1};
    const struct nx_ipc_hdr moves = {.src = EMPTY_SLOT, .flags = NX_IPC_HDR_CAP_MOVE, .len = SMALL + 1};
    const uint64_t bytes = at(pattern()), now = NX_IPC_NONBLOCK;
    const struct probe_case list[] = {
        {"K-51.send-hdr", "header at 0x80000000", {endpoint, KERNEL_HALF, bytes, SMALL, now}},
        {"K-51.send-hdr-first",
         "header at 0x80000000, an empty slot",
         {EMPTY_SLOT, KERNEL_HALF, bytes, SMALL, now}},
        {"K-51.send-maximum-first",
         "over the maximum, an empty slot",
         {EMPTY_SLOT, at(&over), bytes, max + 1, now}},
        {"K-51.send-payload", "payload at 0x80000000", {endpoint, at(&good), KERNEL_HALF, SMALL, now}},
        {"K-51.send-payload-first",
         "payload at 0x80000000, an empty slot",
         {EMPTY_SLOT, at(&good), KERNEL_HALF, SMALL, now}},
        {"K-51.send-len", "header says another length", {endpoint, at(&other), bytes, SMALL, now}},
        {"K-51.send-len-before-move",
         "header says another length, moves an empty slot",
         {endpoint, at(&moves), bytes, SMALL, now}},
        {"K-51.send-flags", "an unknown flag", {endpoint, at(&good), bytes, SMALL, now | UNKNOWN_IPC_FLAG}},
        {"K-51.send-slot", "an empty slot", {EMPTY_SLOT, at(&good), bytes, SMALL, now}},
        {"K-51.send-slot-len",
         "an empty slot, header says another length",
         {EMPTY_SLOT, at(&other), bytes, SMALL, now}},
    };
    rows_of(NX_SYS_IPC_SEND, list, COUNT_OF(list));
}

static void recv_order(uint64_t endpoint)
{
    struct nx_ipc_hdr hdr;
    const uint64_t head = at(&hdr), bytes = at(buf), now = NX_IPC_NONBLOCK;
    const struct probe_case list[] = {
        {"K-51.recv-hdr", "header at 0x80000000", {endpoint, KERNEL_HALF, bytes, SMALL, now}},
        {"K-51.recv-hdr-first",
         "header at 0x80000000, an empty slot",
         {EMPTY_SLOT, KERNEL_HALF, bytes, SMALL, now}},
        {"K-51.recv-buf", "buffer at 0x80000000", {endpoint, head, KERNEL_HALF, SMALL, now}},
        {"K-51.recv-buf-first",
         "buffer at 0x80000000, an empty slot",
         {EMPTY_SLOT, head, KERNEL_HALF, SMALL, now}},
        {"K-51.recv-flags", "an unknown flag", {endpoint, head, bytes, SMALL, now | UNKNOWN_IPC_FLAG}},
        {"K-51.recv-slot", "an empty slot", {EMPTY_SLOT, head, bytes, SMALL, now}},
    };
    rows_of(NX_SYS_IPC_RECV, list, COUNT_OF(list));
}

static void full_queue(uint64_t endpoint)
{
    const struct nx_ipc_hdr hdr = {.len = SMALL};
    struct nx_ipc_hdr in;
    for (unsigned i = 0; i < DEPTH; i++) {
        (void)post_bytes(endpoint, SMALL);
    }
    row("K-52.full", "ipc_send", "nonblock, queue at its depth", post_bytes(endpoint, SMALL));
    ROW("K-52.full-passed", "queue at its depth, deadline passed", NX_SYS_IPC_SEND, endpoint, at(&hdr),
        at(pattern()), SMALL, 0, PASSED_NS);
    for (unsigned i = 0; i < DEPTH; i++) {
        (void)take(endpoint, &in, buf, SMALL);
    }
}

static void small_buffers(uint64_t endpoint)
{
    struct nx_ipc_hdr hdr = {.len = 0};
    (void)post_bytes(endpoint, SMALL);
    const int64_t answer = take(endpoint, &hdr, buf, SHORT);
    row("K-53.small", "ipc_recv", "16 bytes into 8", answer);
    row_if("K-53.small-header", "ipc_recv", "its header", hdr.dst == NX_PID_INIT, "written", answer);
    row("K-53.small-lost", "ipc_recv", "afterwards", take(endpoint, &hdr, buf, SMALL));
    (void)post_bytes(endpoint, SMALL);
    row("K-53.max-0", "ipc_recv", "16 bytes into 0", take(endpoint, &hdr, buf, 0));
    row("K-53.max-0-lost", "ipc_recv", "afterwards", take(endpoint, &hdr, buf, SMALL));
    (void)post_bytes(endpoint, SMALL);
    ROW("K-52.truncate", "16 bytes into 8, truncate", NX_SYS_IPC_RECV, endpoint, at(&hdr), at(buf), SHORT,
        NX_IPC_NONBLOCK | NX_IPC_TRUNCATE, 0);
}

void probe_ipc_order(void)
{
    const uint64_t endpoint = new_endpoint(DEPTH);
    struct nx_ipc_hdr hdr;
    send_order(endpoint);
    for (unsigned i = 0; i < DEPTH; i++) { /* the unknown flag may have sent something */
        (void)take(endpoint, &hdr, buf, SMALL);
    }
    recv_order(endpoint);
    full_queue(endpoint);
    small_buffers(endpoint);
    (void)CALL(NX_SYS_EP_CLOSE, endpoint);
}

/* recv_v2 with one error in its descriptor. */
static void v2_refusals(const struct nx_ipc_recv_v2 *good)
{
    struct nx_ipc_recv_v2 over = *good, hdr = *good, bytes = *good, sender = *good, magic = *good,
                          version = *good, word0 = *good, word1 = *good, eof = *good;
    over.max = probe_message_max() + 1;
    hdr.hdr = bytes.buf = sender.sender_id = KERNEL_HALF;
    magic.magic++;
    version.version++;
    word0.reserved0 = word1.reserved1 = 1;
    eof.flags |= NX_IPC_EOF;
    const struct probe_case list[] = {
        {"K-59.over", "max over the maximum", {at(&over)}},
        {"K-59.desc", "descriptor at 0x80000000", {KERNEL_HALF}},
        {"K-59.hdr", "header at 0x80000000", {at(&hdr)}},
        {"K-59.buf", "buffer at 0x80000000", {at(&bytes)}},
        {"K-59.sender-pointer", "sender id at 0x80000000", {at(&sender)}},
        {"K-59.magic", "another magic", {at(&magic)}},
        {"K-59.version", "another version", {at(&version)}},
        {"K-59.reserved0", "a reserved word, nothing there", {at(&word0)}},
        {"K-59.reserved1", "the other reserved word, nothing there", {at(&word1)}},
        {"K-52.v2-eof", "flag eof", {at(&eof)}},
    };
    rows_of(NX_SYS_IPC_RECV_V2, list, COUNT_OF(list));
}

/* Fills init's queues to 256 KiB and sends one more message. Closing the queues frees the messages. */
static void owner_bytes(void)
{
    const uint64_t max = probe_message_max(), messages = NX_OWNER_QUEUED_BYTES_MAX / max;
    const uint64_t queues = (messages + NX_EP_DEPTH_MAX - 1) / NX_EP_DEPTH_MAX + 1;
    const struct nx_ipc_hdr hdr = {.len = (uint32_t)max};
    const uint64_t first = new_endpoint(NX_EP_DEPTH_MAX);
    int64_t answer = 0;
    for (uint64_t i = 1; i < queues; i++) {
        (void)new_endpoint(NX_EP_DEPTH_MAX);
    }
    uint64_t last = first;
    for (uint64_t i = 0; i <= messages && answer >= 0; i++) {
        last = first + i / NX_EP_DEPTH_MAX;
        answer = post(last, &hdr, pattern());
    }
    row("K-52.owner-bytes", "ipc_send", "nonblock, over 256 kib queued", answer);
    ROW("K-52.owner-bytes-at-once", "blocking, over 256 kib queued", NX_SYS_IPC_SEND, last, at(&hdr),
        at(pattern()), max, 0, (uint64_t)CALL(NX_SYS_NSEC, 0) + SOON_NS);
    /* An endpoint of the same owner that is closed, by a capability without manage. */
    const uint64_t closes = new_endpoint(1);
    const int64_t closed = CALL(NX_SYS_CAP_TRANSFER, NX_PID_INIT, closes, NX_RIGHT_SEND);
    (void)CALL(NX_SYS_EP_CLOSE, closes);
    row("K-51.budget-before-closed", "ipc_send", "to a closed endpoint, over 256 kib queued",
        post((uint64_t)closed, &hdr, pattern()));
    close_slots((uint64_t)closed, (uint64_t)closed);
    for (uint64_t i = 0; i < queues; i++) {
        (void)CALL(NX_SYS_EP_CLOSE, first + i);
    }
}

void probe_recv_v2(void)
{
    const uint64_t endpoint = new_endpoint(DEPTH);
    struct nx_ipc_hdr hdr;
    uint64_t sender = 0;
    const struct nx_ipc_recv_v2 desc = {.magic = NX_IPC_V2_MAGIC,
                                        .version = NX_IPC_V2_VERSION,
                                        .slot = (uint32_t)endpoint,
                                        .hdr = at(&hdr),
                                        .buf = at(buf),
                                        .max = SMALL,
                                        .sender_id = at(&sender),
                                        .flags = NX_IPC_NONBLOCK};
    ROW("K-59.empty", "nonblock, nothing there", NX_SYS_IPC_RECV_V2, at(&desc));
    (void)post_bytes(endpoint, SMALL);
    const int64_t answer = CALL(NX_SYS_IPC_RECV_V2, at(&desc));
    row_len("K-59.recv", "ipc_recv_v2", "16 bytes", answer, SMALL);
    row_if("K-59.payload", "ipc_recv_v2", "the payload", shows(buf, pattern(), SMALL), "same-bytes", answer);
    row_if("K-59.dst", "ipc_recv_v2", "dst in the header", hdr.dst == NX_PID_INIT, "own-pid", answer);
    v2_refusals(&desc);
    (void)CALL(NX_SYS_EP_CLOSE, endpoint);
    owner_bytes();
}
