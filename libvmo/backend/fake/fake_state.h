/* SPDX-License-Identifier: Apache-2.0 */
/* The fake kernel's state; private to this folder. */
#ifndef VMO_FAKE_STATE_H
#define VMO_FAKE_STATE_H

#include "fake.h"
#include "fake_pool.h"

#define FAKE_MEMORIES FAKE_POOL_MAX
#define FAKE_QUEUES (2 * FAKE_SIDES)
#define FAKE_NOBODY UINT32_MAX
#define FAKE_KILLED (-9) /* exit status of a side that be_peer_kill ended, as on Linux */

enum fake_kind {
    FAKE_FREE = 0,
    FAKE_BOOTSTRAP, /* slot 0 of every side, as on NEURON: no VMO, never free */
    FAKE_OWNER,
    FAKE_ALIAS,
    FAKE_FILE, /* reads like an alias, up to the current end of its file */
    FAKE_ENDPOINT,
    FAKE_WATCH
};

struct fake_slot {
    enum fake_kind kind;
    bool owned;    /* the core has an object with it: no ticket may name it */
    uint32_t what; /* index of a memory, a queue or a side */
};

struct fake_memory {
    uint8_t *raw;   /* from fake_zeroed */
    uint8_t *bytes; /* the first page in it; NULL until the first use: all zero */
    uint64_t size_bytes;
    uint32_t caps;       /* capabilities for it, in tables and messages */
    uint32_t mappings;   /* of it */
    uint64_t file_bytes; /* of a file: its current length */
    bool is_file;        /* made by the test; not lost while nobody has it open */
    char *name;          /* from fake_zeroed; NULL: none was given */
};

struct fake_region {
    bool used;
    uint32_t memory;
    uint32_t next_at; /* number + 1 of the next in the same bucket; 0: none */
    struct vmo_range range;
};
#define FAKE_BUCKETS (1u << 20)

struct fake_message {
    uint8_t bytes[FAKE_MESSAGE_MAX_BYTES];
    size_t len;
    uint32_t count; /* of caps */
    struct fake_slot caps[VMO_MANY_MAX];
};

struct fake_queue {
    bool closed;
    uint32_t head;
    uint32_t count;
    uint32_t bytes;
    struct fake_message messages[FAKE_DEPTH_MAX];
};

enum fake_life { FAKE_UNBORN = 0, FAKE_LIVE, FAKE_DEAD, FAKE_REAPED };

struct fake_side {
    enum fake_life life;
    uint32_t parent;
    int32_t exit_status;
    uint32_t queues_closed;   /* queues to its children that it has closed, one bit each */
    struct fake_pool slots;   /* struct fake_slot */
    struct fake_pool regions; /* struct fake_region */
    uint32_t *buckets;        /* regions by address: number + 1 of the first; NULL: no region yet */
};

struct fake_state {
    struct fake_config config;
    uint32_t now;   /* the current side */
    uint32_t sides; /* ever made */
    uint32_t queues;
    uint32_t calls;
    uint32_t fail_in; /* 0: none ordered */
    vmo_status fail_with;
    uint64_t clock_ns;
    void (*hook)(void *context);
    void *hook_context;
    uint64_t arena_used;
    struct fake_pool memories; /* struct fake_memory */
    struct fake_queue queue[FAKE_QUEUES];
    struct fake_side side[FAKE_SIDES];
};

/* Each thread has a kernel of its own, so that threads share nothing but the library. */
extern _Thread_local struct fake_state fake;

/* First line of every backend call: counts the call. Any status but OK is an ordered failure, which the call
 * must return at once. */
vmo_status fake_enter(void);

/* One poll: time passes, the hook runs. */
void fake_poll(void);

/* A used slot of the current side, or NULL. */
struct fake_slot *fake_slot(int32_t number);
bool fake_is_vmo(const struct fake_slot *slot);
/* Fills the lowest free slot of a side; BE_NONE if there is none. */
int32_t fake_slot_fill(uint32_t side, enum fake_kind kind, uint32_t what);
/* Empties a used slot of a side. */
void fake_slot_empty(uint32_t side, int32_t number);
/* Counts a capability that came into a message, or left one. */
void fake_cap_count(const struct fake_slot *cap, bool more);

/* Notes that the core has an object with these capabilities. */
void fake_own(const struct be_object *object);

/* The capability that an object's holder uses to read, or NULL. */
struct fake_slot *fake_reader(const struct be_object *object);

struct fake_memory *fake_memory(uint32_t memory);
/* The bytes of a memory, which it gets here if it has none yet. */
uint8_t *fake_bytes(uint32_t memory);

/* Poisons the pages that no side maps; fake_expose unpoisons them all for the backend. */
void fake_guard(uint32_t memory);
void fake_expose(uint32_t memory);

vmo_status fake_memory_make(uint64_t size_bytes, uint32_t *out);
void fake_memory_free(uint32_t memory);
/* Gives a memory without a name a copy of this one. */
void fake_name(uint32_t memory, const char *name);

/* The slot of an object that wraps a file, or NULL; the readable bytes of a memory. */
struct fake_slot *fake_file_slot(const struct be_object *object);
uint64_t fake_readable_bytes(uint32_t memory);

/* Makes a mapping for the current side. */
vmo_status fake_region_add(uint32_t memory, struct vmo_range range, void **at);
void fake_region_drop(uint32_t side, uint32_t number);
/* The mapping of the current side at this address; false if there is none. */
bool fake_region_find(const void *at, uint64_t bytes, uint32_t *number);

/* Ends all mappings or all capabilities of a side. */
void fake_regions_drop(uint32_t side);
void fake_slots_drop(uint32_t side);

void fake_queue_pop(struct fake_queue *queue);
void fake_queue_close(struct fake_queue *queue);

/* Ends a live side: its capabilities are closed at once. */
void fake_side_end(uint32_t side, int32_t exit_status);

#endif
