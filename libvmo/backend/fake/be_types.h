/* SPDX-License-Identifier: Apache-2.0 */
/* The fake backend's own part of the port's structs. The core never looks into them. */
#ifndef VMO_BE_TYPES_H
#define VMO_BE_TYPES_H

#include <stdint.h>

#define BE_ENTRIES_MAX 1048576 /* entries of a table; mappings_max of a kernel with room for more */
#define BE_STREAM_LOOKS 1      /* at the shared words before a wait sleeps, by default */
#define BE_STREAM_NOTIFIES 0   /* 1: backend_stream.h's notifiers exist */
#define BE_FORKS 1             /* 1: a process can fork, and its child must not use its streams */
#define BE_COOPERATIVE 1       /* 1: a task may run until it yields */
#define BE_PEERS_MAX 65536
#define BE_KEEPS_MAPPINGS 0
#define BE_KNOWS_OBJECTS 1
#define BE_MANY 1       /* 1: a message can carry more than one VMO */
#define BE_HUGE_PAGES 0 /* 1: struct object.page_shift is used */

struct be_object_own {
    uint32_t sent_to;  /* queues that a message with this object went into, one bit each */
    uint32_t identity; /* of the memory, + 1; 0: not looked at */
};

struct be_peer {
    int32_t pid;     /* its side; BE_NONE: the parent */
    int32_t send;    /* slot of the queue to it */
    int32_t receive; /* slot of the queue from it */
    int32_t watch;   /* slot of the child's death watch, or BE_NONE */
};

#endif
