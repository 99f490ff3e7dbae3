/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of the suite to its peer, and the answers. Each is the body of a message.
 * The peer joins each stream that it is offered, and answers the status. */
#ifndef CONF_ORDER_H
#define CONF_ORDER_H

#include "vmo/channel.h"

#define PEER_CONSUMERS 8
#define PEER_OBJECTS (2 * PEER_CONSUMERS) /* objects, mappings and views of its registry */
#define PEER_HELD 8                       /* the peer keeps up to 8 VMOs and 8 views, in numbered places */

enum conf_op {
    OP_ECHO = 1,   /* value = arg */
    OP_TAKE,       /* keeps the VMO of this message in place `held` */
    OP_NEXT_MANY,  /* after the answer, receives one message by vmo_recv_many */
    OP_TAKE_MANY,  /* keeps the VMOs of this message in places 0, 1, ...; value = how many */
    OP_SEND_MANY,  /* sends the VMOs in places 0 to arg - 1, read-only, before the answer */
    OP_ACCEPT,     /* vmo_accept of the ticket into `held` */
    OP_CREATE,     /* vmo_create of range.len_bytes into `held` */
    OP_ASK,        /* length, size, rights, seal and enforcer of `held` */
    OP_READ,       /* vmo_read of a range of at most 64 bytes; value = conf_hash of it */
    OP_WRITE,      /* vmo_write of one byte, arg, at range.off_bytes */
    OP_MAP_RO,     /* a view of a range into `held`; value = conf_hash of it */
    OP_MAP_RW,     /* the same, writable */
    OP_PEEK,       /* value = conf_hash of a range of the view `held` */
    OP_POKE,       /* stores arg at range.off_bytes of the writable view `held` */
    OP_UNMAP,      /* of the view `held` */
    OP_SEAL,       /* vmo_seal with strength arg */
    OP_DESTROY,    /* of `held` */
    OP_CLOSE,      /* of `held` */
    OP_DUP,        /* `held` with rights arg, into held + 1 */
    OP_SEND,       /* sends `held` back with rights arg, before the answer */
    OP_TRANSFER,   /* transfers `held` to the parent with rights arg */
    OP_REQUIRE,    /* vmo_peer_require of strength arg */
    OP_REFUSALS,   /* value = refused receives since the last OP_REFUSALS; status = of the last refusal */
    OP_COUNT,      /* value = slots, len = mappings of the peer's task */
    OP_MANY,       /* answers arg times, value = 0, 1, 2, ... */
    OP_TAKE_FRAME, /* waits arg ms for a frame; keeps it in `held`; value = conf_hash, len, size = sequence,
                      rights = lost, seal = tag */
    OP_READ_FRAME, /* the same of the frame `held` */
    OP_RELEASE_FRAME, /* of `held` */
    OP_LEAVE_STREAM,
    OP_FILL,       /* fills `held` for request range.off_bytes: a payload of range.len_bytes, then the header.
                      arg: how. Through the writable view `held` if there is one, else by vmo_write */
    OP_FILL_CRASH, /* no answer; the same, then ends by a fault */
    OP_PAUSE,      /* after the answer, receives nothing while the first byte of `held` is 0 */
    OP_END,        /* no answer; ends with status arg */
    OP_CRASH,      /* no answer; ends by a fault */
    OP_HANG_UP     /* no answer; closes the channel, then ends */
};

struct conf_order {
    uint32_t op;
    uint32_t held;
    uint32_t arg;
    uint32_t consumer; /* of a stream; the peer numbers them from 0, and uses a number again after a leave */
    struct vmo_range range;
    struct vmo_ticket ticket;
};

/* What a provider writes at the start of memory that was lent to it; the payload follows at
 * CONF_PAYLOAD_OFF. */
struct conf_filled {
    uint64_t request;
    uint64_t len;
    uint64_t hash; /* conf_hash of the payload */
};
#define CONF_PAYLOAD_OFF 64

enum conf_fill {
    FILL_ALL = 0,
    FILL_NOTHING,      /* answers without a payload or a header */
    FILL_HALF,         /* half of the payload, no header */
    FILL_HEADER_ALONE, /* the header of a payload that is not there */
    FILL_LONG_HEADER   /* the header claims more than the VMO holds */
};

struct conf_answer {
    int32_t status; /* a vmo_status */
    uint32_t rights;
    uint32_t seal;
    uint32_t enforcer;
    uint64_t len;
    uint64_t size;
    uint64_t value;
};

/* FNV-1a. */
uint64_t conf_hash(const uint8_t *bytes, uint64_t len);
/* A pattern that differs from byte to byte and page to page, and conf_hash of a range of it. */
uint8_t conf_pattern(uint64_t off);
uint64_t conf_pattern_hash(uint64_t off, uint64_t len);

/* In the peer: its registry and the channel to the suite. */
void conf_peer_begin(struct vmo_registry *registry, vmo_peer_t parent);
enum conf_step { STEP_OBEYED, STEP_IDLE, STEP_END };
/* Receives one order until the deadline and obeys it. After STEP_END conf_peer_status is the exit status. */
enum conf_step conf_peer_step(uint64_t deadline_ns);
int32_t conf_peer_status(void);

#endif
