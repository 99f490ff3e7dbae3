/* SPDX-License-Identifier: Apache-2.0 */
/* The NEURON backend's own part of the port's structs. The core never looks into them. */
#ifndef VMO_BE_TYPES_H
#define VMO_BE_TYPES_H

#include <stdint.h>

#define BE_ENTRIES_MAX 4096  /* entries of a table; mappings_max of a kernel with room for more */
#define BE_STREAM_LOOKS 16   /* at the shared words before a wait sleeps, by default */
#define BE_STREAM_NOTIFIES 0 /* 1: backend_stream.h's notifiers exist */
#define BE_FORKS 0           /* 1: a process can fork, and its child must not use its streams */
#define BE_COOPERATIVE 1     /* 1: a task may run until it yields */
#define BE_PEERS_MAX 32
#define BE_KEEPS_MAPPINGS 0
#define BE_KNOWS_OBJECTS 0
#define BE_MANY 0       /* 1: a message can carry more than one VMO */
#define BE_HUGE_PAGES 0 /* 1: struct object.page_shift is used */

#define NX_CHANNEL_WORDS 2

/* A set of this task's channels, one bit each (nx_in_flight.c). */
struct nx_channels {
    uint64_t bits[NX_CHANNEL_WORDS];
};

struct be_object_own {
    struct nx_channels sent_to; /* channels that a message with this object went into */
};

struct be_peer {
    int32_t pid;      /* BE_NONE: the parent, whose pid this task cannot know */
    int32_t send;     /* the endpoint for messages to it */
    int32_t receive;  /* the endpoint for messages from it */
    int32_t watch;    /* the child's death watch until it was waited for; else BE_NONE */
    uint32_t channel; /* this channel's number in struct nx_channels; NX_TO_PARENT: the parent owns it */
};

#endif
