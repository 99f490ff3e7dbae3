/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port of the conformance suite to a platform: its name and features, how a peer is made, and how the
 * task's use of the kernel's tables is counted. Everything else is written once, against the public API.
 */
#ifndef CONF_PORT_H
#define CONF_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmo/channel.h"

/* Features of a platform. A case that needs a missing one is printed as `# cannot: case - reason` and listed
 * in cannot.tsv. */
#define HAS_MAP 0x001u      /* memory can be mapped */
#define HAS_UNMAP 0x002u    /* an address can be given back */
#define HAS_DESTROY 0x004u  /* memory can be given back */
#define HAS_PEER 0x008u     /* a peer can be started */
#define HAS_REAP 0x010u     /* a peer's end can be waited for */
#define HAS_TRANSFER 0x020u /* vmo_transfer */
#define HAS_FILES 0x040u    /* vmo_wrap_file */
#define HAS_FEW_MAPS 0x080u /* one address space has so few mappings that the suite can use them up */
#define HAS_END 0x100u      /* memory comes to an end that the suite can reach */
#define HAS_KERNEL_SEALS 0x200u
#define HAS_PEER_CREATE 0x400u  /* a peer may create VMOs of its own */
#define HAS_HOLDERS 0x800u      /* the kernel says when others hold or map what is to be destroyed */
#define HAS_TRANSFER_UP 0x1000u /* a child can transfer to its parent */
#define HAS_LOADER 0x2000u      /* a peer's program is a file that a kernel loads */
#define HAS_USER_CHECK 0x4000u  /* the library refuses bad_memory without the kernel's help */
#define HAS_KILL 0x8000u        /* a peer can be ended by vmo_peer_kill */
#define HAS_NAMES 0x10000u      /* the kernel keeps the name of a VMO */
#define HAS_COUNT 17

struct conf_port {
    const char *name;
    uint32_t features;
    uint32_t spawns;      /* peers that one boot can start; 0: any number */
    uint64_t full_bytes;  /* size of the pieces with which memory is used up; 0 without HAS_END */
    uintptr_t bad_memory; /* an address in the kernel's memory, which goes on for two pages at least */
};

/* Called once, first. */
const struct conf_port *conf_port(void);

/* This task's entries in the kernel's tables, counted without the library; 0 where they cannot be counted. */
struct conf_held {
    uint64_t slots;
    uint64_t mappings;
};
struct conf_held conf_port_held(void);
/* Cheaper: a number that differs whenever one more slot is taken. */
uint64_t conf_port_mark(void);

/* Called between cases while no registry lives. */
void conf_port_between(void);

/* A new peer that obeys the orders of conf_order.h and is not allowed to get VMOs yet. */
VMO_CHECK vmo_status conf_port_start_peer(struct vmo_registry *registry, vmo_peer_t *out);
/* The i-th program that the library must not let the kernel see; false when there are no more. */
bool conf_port_bad_program(uint32_t i, struct vmo_program *out);
/* What the platform still has to do about a peer after vmo_peer_close; or, after a failure, without it: then
 * the peer does not know that it is to end. */
void conf_port_forget_peer(bool after_failure);

/* In the peer: lets time pass until then without looking for orders; ends with a fault. */
void conf_port_pause(uint64_t until_ns);
void conf_port_crash(void);

/* A file of these bytes, open for reading, and its new length; only with HAS_FILES. */
int conf_port_file(const void *bytes, size_t len);
void conf_port_truncate(int file, size_t len);
void conf_port_close_file(int file);

#endif
