/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port of the conformance suite to a platform: name and features, starting a peer, and counting the
 * task's entries in kernel tables. Everything else uses the public API alone.
 */
#ifndef CONF_PORT_H
#define CONF_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmo/channel.h"
#include "vmo/descriptor.h"

/* Features of a platform. A case that needs a missing one prints `# cannot: case - reason`. cannot.tsv has a
 * row for each. */
#define HAS_MAP 0x001u           /* memory can be mapped */
#define HAS_UNMAP 0x002u         /* memory can be unmapped */
#define HAS_DESTROY 0x004u       /* memory can be freed */
#define HAS_PEER 0x008u          /* a peer can be started */
#define HAS_REAP 0x010u          /* a peer can be waited for */
#define HAS_TRANSFER 0x020u      /* vmo_transfer */
#define HAS_FILES 0x040u         /* vmo_wrap_file */
#define HAS_FEW_MAPS 0x080u      /* the suite can use up the mappings of an address space */
#define HAS_LITTLE_MEMORY 0x100u /* the suite can use up the memory */
#define HAS_KERNEL_SEALS 0x200u
#define HAS_PEER_CREATE 0x400u   /* a peer can create VMOs */
#define HAS_HOLDERS 0x800u       /* the kernel refuses to destroy a VMO that others hold or map */
#define HAS_TRANSFER_UP 0x1000u  /* a child can transfer to its parent */
#define HAS_LOADER 0x2000u       /* a kernel loads a peer's program from a file */
#define HAS_USER_CHECK 0x4000u   /* the library refuses bad_memory itself */
#define HAS_KILL 0x8000u         /* vmo_peer_kill works */
#define HAS_NAMES 0x10000u       /* the kernel keeps the name of a VMO */
#define HAS_DESCRIPTORS 0x20000u /* vmo_import_fd and vmo_export_fd */
#define HAS_MANY 0x40000u        /* a message can carry several VMOs */
#define HAS_COUNT 19

struct conf_port {
    const char *name;
    uint32_t features;
    uint64_t patience_ns; /* deadline of each call that a good run lets succeed */
    uint32_t spawns;      /* limit of peers in one boot; 0: no limit */
    uint32_t children;    /* so many one after another at least, then UNSUPPORTED; 0: no limit */
    uint64_t full_bytes;  /* size of the VMOs that use up the memory; 0 without HAS_LITTLE_MEMORY */
    uintptr_t bad_memory; /* address of at least two pages of kernel memory */
};

/* Called once, first. */
const struct conf_port *conf_port(void);

/* Entries of this task in the kernel's tables, counted without the library; 0 if they cannot be counted. */
struct conf_held {
    uint64_t slots;
    uint64_t mappings;
};
struct conf_held conf_port_held(void);
/* Cheaper than conf_port_held: a number that changes with each slot taken. */
uint64_t conf_port_mark(void);

/* Called between cases while there is no registry. */
void conf_port_between(void);

/* Starts a peer that obeys the orders of conf_order.h. It is not yet allowed to get VMOs. */
VMO_CHECK vmo_status conf_port_start_peer(struct vmo_registry *registry, vmo_peer_t *out);
/* Gives the i-th program that the library must refuse without asking the kernel; false if there is none. */
bool conf_port_bad_program(uint32_t i, struct vmo_program *out);
/* Cleans up after vmo_peer_close. After a failure vmo_peer_close was not called, so the port itself ends the
 * peer. */
void conf_port_drop_peer(bool after_failure);

/* Both run in the peer. The first lets the suite run. */
void conf_port_yield(void);
void conf_port_crash(void);

/* Opens a file with these bytes; sets its length. Only with HAS_FILES. */
int conf_port_file(const void *bytes, size_t len);
void conf_port_truncate(int file, size_t len);
void conf_port_close_file(int file);

#endif
