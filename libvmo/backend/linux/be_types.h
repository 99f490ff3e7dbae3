/* SPDX-License-Identifier: Apache-2.0 */
/* The Linux backend's own part of the port's structs. The core never looks into them. */
#ifndef VMO_BE_TYPES_H
#define VMO_BE_TYPES_H

#if !defined(__SIZEOF_POINTER__) || __SIZEOF_POINTER__ < 8
#error "libvmo on Linux needs a 64-bit target: a mapping of a VMO longer than 4 GiB would be cut"
#endif

#include <stdbool.h>
#include <stdint.h>

#define BE_ENTRIES_MAX 1048576 /* entries of a table; mappings_max of a kernel with room for more */
#define BE_STREAM_LOOKS 1024   /* at the shared words before a wait sleeps, by default */
#define BE_STREAM_NOTIFIES 1   /* 1: backend_stream.h's notifiers exist */
#define BE_FORKS 1             /* 1: a process can fork, and its child must not use its streams */
#define BE_COOPERATIVE 0       /* 1: a task may run until it yields */
#define BE_PEERS_MAX 65536
#define BE_KEEPS_MAPPINGS 1
#define BE_KNOWS_OBJECTS 1
#define BE_MANY 1       /* 1: a message can carry more than one VMO */
#define BE_HUGE_PAGES 1 /* 1: struct object.page_shift is used */

struct be_object_own {
    uint64_t size_bytes;
    uint64_t inode; /* 0: not looked at yet, or no memfd */
    /* Created here. */
    void *kept;      /* mapping from before a PEERS seal, through which the creator writes; or NULL */
    bool exposed;    /* got to a peer unsealed, in a way that hides whether the peer mapped it writable */
    bool unfinished; /* sealed FOREVER, but the kernel has not taken the file's seal yet */
    /* Received. */
    uint8_t seals; /* of LX_SEALS, when the descriptor came: seals are only ever added */
    bool readable; /* opened for reading */
};

/* A transferred descriptor that was not accepted yet. */
struct lx_parked {
    uint32_t name; /* 0: this entry is free */
    int32_t descriptor;
};
#define LX_PARKED_MAX 8

struct be_peer {
    int32_t pid;             /* BE_NONE: in another namespace */
    int32_t socket;          /* the channel, both ways */
    bool may_share_owner;    /* without /proc the peer gets the creator's own description */
    bool quiet;              /* it has our notice that no descriptors follow (lx_packet.h) */
    bool none_follow;        /* we have its notice */
    bool taken;              /* the packet that was looked at last is off the queue */
    uint8_t several;         /* descriptors of the message that be_recv showed last, if more than one */
    uint32_t more_looks;     /* of a receive before it sleeps, after the first */
    uint32_t plain_sent;     /* messages since the last one with a descriptor */
    int32_t watch;           /* a child's pidfd or LX_WATCH_BY_PID, until it was waited for; else BE_NONE */
    uint32_t transfers_sent; /* both ends count transfers; the count is the name */
    uint32_t transfers_seen;
    struct lx_parked parked[LX_PARKED_MAX];
};

#endif
