/* SPDX-License-Identifier: Apache-2.0 */
/* Steps: what a failed call may answer and change; the world of a story; nothing left at its end. */
#define _GNU_SOURCE
#include "linux/errno/lx_step.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lx.h"

#define DESCRIPTORS 64
#define LINE_BYTES 512
#define WATCHDOG_S 20
#define SOON_NS UINT64_C(10000000000)
#define LASTS_NS UINT64_C(5000000)

struct errno_world world;

/* ---- Results ------------------------------------------------------------------------------------------- */

void step_wrong(const char *format, ...)
{
    va_list list;

    wrap->armed = false;
    va_start(list, format);
    (void)vsnprintf(wrap->text, sizeof(wrap->text), format, list);
    va_end(list);
    _exit(1);
}

/* ---- What a refused call must not change --------------------------------------------------------------- */

struct seen {
    uint64_t open;     /* a bit for each descriptor */
    uint32_t mappings; /* of memfds */
    uint64_t hash;     /* of their lines */
    bool child;        /* there is one, dead or alive */
    struct vmo_counters counters[2];
};

static bool has_child(void)
{
    siginfo_t seen = {.si_pid = 0};

    return waitid(P_ALL, 0, &seen, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

static void look_at_mappings(struct seen *seen)
{
    char line[LINE_BYTES];
    FILE *maps = fopen("/proc/self/maps", "re");

    DEMAND(maps != NULL);
    while (fgets(line, sizeof(line), maps)) {
        if (!strstr(line, "/memfd:")) {
            continue;
        }
        seen->mappings++;
        for (const char *c = line; *c; c++) {
            seen->hash = seen->hash * 31 + (uint8_t)*c;
        }
    }
    (void)fclose(maps);
}

static struct seen look(void)
{
    struct seen seen;

    memset(&seen, 0, sizeof(seen));
    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        seen.open |= (uint64_t)(fcntl(fd, F_GETFD) >= 0) << fd;
    }
    look_at_mappings(&seen);
    seen.child = has_child();
    vmo_counters_read(world.a, &seen.counters[0]);
    vmo_counters_read(world.b, &seen.counters[1]);
    return seen;
}

static bool is_one_of(const char *function, const char *const *names)
{
    for (; *names; names++) {
        if (strcmp(function, *names) == 0) {
            return true;
        }
    }
    return false;
}

/* A close that fails has closed: its descriptor is gone, and the call made again finds that. vmo_accept takes
 * transfers off the queue and keeps them for their tickets. What ends a part of a stream goes on at its
 * second call. A peer that a stream was offered to may have got the pool, through a description that stays
 * for the next; a join may have taken the second message, with its notifier. */
static bool same_descriptors(const struct seen *before, const struct seen *now)
{
    static const char *const enders[] = {"vmo_stream_expel", "vmo_stream_close", "vmo_stream_leave", NULL};
    const bool failed = wrap->status != VMO_OK;
    const bool closes = failed && wrap->plan.row == ROW_close;
    const bool parks = failed && strcmp(wrap->function[wrap->step], "vmo_accept") == 0;
    const bool offers = failed && strcmp(wrap->function[wrap->step], "vmo_stream_offer") == 0;
    const bool joins = failed && strcmp(wrap->function[wrap->step], "vmo_stream_join") == 0;
    const bool ends = failed && is_one_of(wrap->function[wrap->step], enders);
    const int gone = __builtin_popcountll(before->open & ~now->open);
    const int new = __builtin_popcountll(now->open & ~before->open);

    return (closes || ends || gone <= (joins ? 1 : 0)) && (parks || new <= (offers ? 1 : 0));
}

/* What ends or seals a VMO drops its unused mappings first, and a view may evict one. */
static bool may_drop_mappings(const struct seen *before, const struct seen *now)
{
    static const char *const droppers[] = {
        "vmo_destroy",     "vmo_close",        "vmo_seal",         "vmo_seal_with",    "vmo_trim",
        "vmo_keep_limits", "vmo_stream_expel", "vmo_stream_close", "vmo_stream_leave", NULL};
    static const char *const evicters[] = {"vmo_map_ro", "vmo_map_rw", "vmo_copy", NULL};
    const char *function = wrap->function[wrap->step];

    if (wrap->status == VMO_OK) {
        return false;
    }
    return (is_one_of(function, droppers) && now->mappings < before->mappings) ||
           (is_one_of(function, evicters) &&
            now->counters[0].map_evictions > before->counters[0].map_evictions &&
            now->mappings <= before->mappings);
}

/* A mapping that is gone is gone for the counters, too. The functions of streams make several calls each:
 * those before the refused one have counted. */
static bool same_counters(const struct seen *before, struct seen now)
{
    if (strncmp(wrap->function[wrap->step], "vmo_stream_", strlen("vmo_stream_")) == 0) {
        return true;
    }
    if (may_drop_mappings(before, &now)) {
        now.counters[0].map_evictions = before->counters[0].map_evictions;
        now.counters[0].kept_seal_bytes = before->counters[0].kept_seal_bytes;
    }
    return memcmp(now.counters, before->counters, sizeof(now.counters)) == 0;
}

static void compare(const char *what, const struct seen *before, const struct seen *now)
{
    if (!same_descriptors(before, now)) {
        step_wrong("%s: descriptors %#llx became %#llx", what, (unsigned long long)before->open,
                   (unsigned long long)now->open);
    }
    if (now->hash != before->hash && !may_drop_mappings(before, now)) {
        step_wrong("%s: %u mappings became %u, or changed", what, before->mappings, now->mappings);
    }
    if (now->child != before->child) {
        step_wrong("%s: a child %s", what, now->child ? "is left" : "is gone");
    }
    if (!same_counters(before, *now)) {
        step_wrong("%s: a counter changed", what);
    }
}

/* ---- What a call may answer ---------------------------------------------------------------------------- */

struct documented {
    const char *function;
    uint32_t statuses; /* a bit for each */
};

#define S(name) | UINT32_C(1) << VMO_ERR_##name
#define FUNCTION(name, statuses) {#name, 0u statuses},
static const struct documented documented[] = {
#include "documented.def"
};

/* What any function may answer that calls the kernel: the head of vmo.h. */
#define COMMON (0u S(BAD_HANDLE) S(NO_MEMORY) S(UNSUPPORTED) S(IO))

static bool may_answer(const char *function, vmo_status status)
{
    for (size_t i = 0; i < sizeof(documented) / sizeof(documented[0]); i++) {
        if (strcmp(documented[i].function, function) == 0) {
            return (documented[i].statuses | COMMON) >> status & 1;
        }
    }
    step_wrong("%s is not in documented.def", function);
}

/* An empty queue is no error of the kernel: vmo_accept then knows no such transfer. */
static bool finds_nothing(vmo_status status)
{
    return status == VMO_ERR_PROTOCOL && wrap->plan.error == EAGAIN &&
           (wrap->plan.row == ROW_recvmsg || wrap->plan.row == ROW_recv);
}

/* ---- Steps --------------------------------------------------------------------------------------------- */

static struct seen before;
static vmo_status wanted; /* without a failure */

void step_begin(const char *function, vmo_status expected)
{
    wanted = expected;
    wrap->step++;
    DEMAND(wrap->step < TRACE_MAX);
    wrap->function[wrap->step] = function;
    if (wrap->plan.set && wrap->plan.step == wrap->step) {
        before = look();
    }
    wrap->armed = true;
}

void step_others_acted(int closed)
{
    before.open &= closed >= 0 ? ~(UINT64_C(1) << closed) : UINT64_MAX;
    vmo_counters_read(world.a, &before.counters[0]);
    vmo_counters_read(world.b, &before.counters[1]);
}

bool step_failed(vmo_status status)
{
    const bool mine = wrap->plan.set && wrap->plan.step == wrap->step;

    wrap->armed = false;
    if (mine && !wrap->fired) {
        step_wrong(STEP_NOT_COME);
    }
    if (!mine && status != wanted) {
        step_wrong("without a failure of its own: %s", vmo_status_name(status));
    }
    if (!mine) {
        return false;
    }
    wrap->status = status;
    wrap->absorbed = status == wanted;
    if (status == wanted) {
        return false;
    }
    if (!may_answer(wrap->function[wrap->step], status) && !finds_nothing(status)) {
        step_wrong("%s is not documented", vmo_status_name(status));
    }
    if (wrap->plan.error == EINTR && wrap->plan.how == HOW_ERROR) {
        step_wrong("a signal made it %s", vmo_status_name(status));
    }
    const struct seen now = look();
    compare(vmo_status_name(status), &before, &now);
    if (world.unchanged) {
        world.unchanged();
    }
    return true;
}

void step_again(vmo_status status)
{
    if (status != wanted) {
        step_wrong("%s; again: %s", vmo_status_name(wrap->status), vmo_status_name(status));
    }
}

/* A failure that lasts is waited for until the deadline: let it come soon. */
uint64_t step_soon(void)
{
    const bool lasts =
        wrap->plan.set && wrap->plan.how == HOW_ALWAYS && wrap->plan.step == wrap->step && wrap->armed;

    return vmo_now_ns(world.a) + (lasts ? LASTS_NS : SOON_NS);
}

/* ---- The world ----------------------------------------------------------------------------------------- */

static void open_world(void)
{
    static alignas(16) uint8_t storage[2][VMO_REGISTRY_BYTES(8, 8, 8, 2)];
    static const struct vmo_limits limits = {.objects = 8, .mappings = 8, .views = 8, .peers = 2};
    int ends[2];

    DEMAND(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    SURE(vmo_registry_init(storage[0], sizeof(storage[0]), &limits, &world.a));
    SURE(vmo_registry_init(storage[1], sizeof(storage[1]), &limits, &world.b));
    SURE(vmo_peer_open(world.a, ends[0], &world.to_b));
    SURE(vmo_peer_open(world.b, ends[1], &world.to_a));
    SURE(vmo_peer_allow(world.a, world.to_b));
    SURE(vmo_peer_allow(world.b, world.to_a));
}

static void close_world(void)
{
    SURE(vmo_peer_close(world.a, world.to_b));
    SURE(vmo_peer_close(world.b, world.to_a));
    SURE(vmo_registry_fini(world.a));
    SURE(vmo_registry_fini(world.b));
    memset(&world, 0, sizeof(world));
}

void step_run(const struct story *story, bool old_kernel)
{
    const struct rlimit few = {.rlim_cur = DESCRIPTORS, .rlim_max = DESCRIPTORS};

    wrap_begin();
    (void)alarm(WATCHDOG_S);
    DEMAND(setrlimit(RLIMIT_NOFILE, &few) == 0);
    lx_features_without(old_kernel ? LX_ALL_FEATURES : 0);
    for (int stream = 0; stream < 3; stream++) {
        DEMAND(!(story->marks >> stream & 1) || close(stream) == 0);
    }
    const struct seen bare = look();
    if (!story->bare) {
        open_world();
    }
    story->run();
    for (int row = 0; row < ROWS; row++) {
        wrap_refuse((enum row)row, 0);
    }
    world.unchanged = NULL;
    if (!story->bare) {
        close_world();
    }
    const struct seen now = look();
    compare("at the end", &bare, &now);
    _exit(0);
}
