/* SPDX-License-Identifier: Apache-2.0 */
/* vmo bench: what a hand-over takes on this machine, by the library and without it. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool_bench.h"

#define ROUNDS_MAX 1000
#define ROUNDS_DEFAULT 9
#define BYTES_MAX (UINT64_C(1) << 30)
#define TURN_BYTES (UINT64_C(1) << 25) /* of one turn */
#define ITEMS_MAX 2000
#define ITEMS_MIN 8

static const char help[] =
    "Usage: vmo bench [OPTION]...\n"
    "Measures what it takes to hand bytes to another process, which reads each of them:\n"
    "\n"
    "  pipe    write and read, through a pipe\n"
    "  socket  the same through a socket of AF_UNIX\n"
    "  fresh   a new VMO for each item, sealed forever; each waits for an answer\n"
    "  resend  one VMO, sealed against its receiver, sent again; each waits for an answer\n"
    "  stream  four buffers that both sides share\n"
    "\n"
    "Runs the ways in turn in each round, and prints the median of the rounds.\n"
    "\n"
    "      --bytes=BYTES     only items of this size (default: 4096, 65536 and 1048576)\n"
    "      --rounds=ROUNDS   default: 9\n"
    "      --progress=WHEN   auto (default: on a terminal), always, never\n";

enum { BYTES = 256, ROUNDS, PROGRESS };

static const struct tool_option known[] = {
    {BYTES, "bytes", true}, {ROUNDS, "rounds", true}, {PROGRESS, "progress", true}, {0, NULL, false}};

static uint64_t times[BENCH_WAYS][ROUNDS_MAX]; /* ns of a turn */
static struct vmo_registry *registry;          /* of this process */

static uint32_t items_of(uint64_t bytes)
{
    const uint64_t items = TURN_BYTES / bytes;

    return items > ITEMS_MAX ? ITEMS_MAX : items < ITEMS_MIN ? ITEMS_MIN : (uint32_t)items;
}

/* ---- One turn ------------------------------------------------------------------------------------- */

static bool prepare(const struct bench_way *way, struct bench_turn *turn)
{
    const struct vmo_limits limits = {.objects = 8, .mappings = 8, .views = 8, .peers = 1};

    if (!way->by_library) {
        return true;
    }
    vmo_status status = vmo_registry_new(&limits, &registry);
    turn->registry = registry;
    if (status == VMO_OK) {
        status = vmo_peer_open(registry, turn->end, &turn->peer);
    }
    if (status == VMO_OK) {
        status = vmo_peer_allow(registry, turn->peer);
    }
    if (status != VMO_OK) {
        (void)tool_say_status(way->name, status);
    }
    return status == VMO_OK;
}

static bool finish(const struct bench_way *way, struct bench_turn *turn)
{
    if (!way->by_library) {
        return close(turn->end) == 0;
    }
    vmo_status status = vmo_peer_close(registry, turn->peer);
    if (status == VMO_OK) {
        status = vmo_registry_free(registry);
    }
    if (status != VMO_OK) {
        (void)tool_say_status(way->name, status);
    }
    return status == VMO_OK;
}

/* The consumer's process: says when it is ready, and at the end what it read. */
static bool run_consumer(const struct bench_way *way, struct bench_turn *turn, int control)
{
    return prepare(way, turn) && write(control, "", 1) == 1 && way->consume(turn) &&
           write(control, &turn->sum, sizeof(turn->sum)) == sizeof(turn->sum) && finish(way, turn);
}

static uint64_t expected_sum(const struct bench_turn *turn)
{
    uint64_t sum = 0;

    for (uint32_t item = 0; item < turn->items; item++) {
        sum += UINT64_C(0x0101010101010101) * bench_fill(item) * (turn->bytes / 8);
    }
    return sum;
}

static bool run_producer(const struct bench_way *way, struct bench_turn *turn, int control, uint64_t *ns)
{
    uint64_t sum = 0;
    char ready = 0;

    if (!prepare(way, turn) || read(control, &ready, 1) != 1) {
        return false;
    }
    if (!way->produce(turn) || recv(control, &sum, sizeof(sum), MSG_WAITALL) != sizeof(sum)) {
        return false;
    }
    *ns = tool_now_ns() - turn->began_ns;
    if (sum != expected_sum(turn)) {
        tool_say(way->name, "the consumer read other bytes");
        return false;
    }
    return finish(way, turn);
}

/* ends[0] is the consumer's, as a pipe has it. */
static bool open_ends(const struct bench_way *way, int ends[2], int control[2])
{
    const int type = way->by_library ? SOCK_SEQPACKET : SOCK_STREAM;
    const int failed = way->by_pipe ? pipe(ends) : socketpair(AF_UNIX, type, 0, ends);

    return failed == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, control) == 0;
}

static bool take_turn(const struct bench_way *way, struct bench_turn turn, uint64_t *ns)
{
    int ends[2], control[2], ended = 0;

    if (!open_ends(way, ends, control)) {
        (void)tool_say_errno(way->name);
        return false;
    }
    const pid_t child = fork();
    if (child < 0) {
        (void)tool_say_errno(way->name);
        return false;
    }
    const int own = child == 0 ? 0 : 1;
    turn.end = ends[own];
    (void)close(ends[1 - own]);
    (void)close(control[1 - own]);
    if (child == 0) {
        _exit(run_consumer(way, &turn, control[0]) ? TOOL_OK : TOOL_FAILED);
    }
    const bool good = run_producer(way, &turn, control[1], ns);
    (void)close(control[1]);
    if (!good) {
        tool_say(way->name, "the measurement failed");
        return false; /* the child ends when this process does */
    }
    return waitpid(child, &ended, 0) == child && ended == 0;
}

/* ---- All turns ------------------------------------------------------------------------------------ */

static int by_size(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

static void print_rows(uint64_t bytes, uint64_t rounds)
{
    const double items = items_of(bytes);

    for (size_t way = 0; way < BENCH_WAYS; way++) {
        qsort(times[way], (size_t)rounds, sizeof(times[way][0]), by_size);
        const double us = (double)times[way][rounds / 2] / 1000 / items;
        const double pipe_us = (double)times[0][rounds / 2] / 1000 / items; /* sorted in the first turn */
        printf("%10llu %-7s %12.2f %8.0f %8.2f\n", (unsigned long long)bytes, bench_ways[way].name, us,
               (double)bytes / us, pipe_us / us);
    }
}

static bool measure(uint64_t bytes, uint64_t rounds, struct tool_progress *progress)
{
    struct bench_turn turn = {.bytes = bytes, .items = items_of(bytes) + BENCH_WARM};

    turn.buffer = malloc((size_t)bytes);
    if (turn.buffer == NULL) {
        (void)tool_say_errno("bench");
        return false;
    }
    bool good = true;
    for (uint64_t round = 0; good && round < rounds; round++) {
        for (size_t way = 0; good && way < BENCH_WAYS; way++) {
            good = take_turn(&bench_ways[way], turn, &times[way][round]);
            tool_progress_add(progress, turn.bytes * turn.items);
        }
    }
    free(turn.buffer);
    tool_progress_clear();
    if (good) {
        print_rows(bytes, rounds);
        (void)fflush(stdout); /* the end of the program reports a failure */
    }
    return good;
}

static int bench(const uint64_t *sizes, size_t count, uint64_t rounds)
{
    struct tool_progress progress;
    uint64_t total = 0;

    for (size_t i = 0; i < count; i++) {
        total += sizes[i] * items_of(sizes[i]) * BENCH_WAYS * rounds;
    }
    (void)signal(SIGCHLD, SIG_DFL); /* a parent may ignore it: then waitpid finds no child */
    printf("%10s %-7s %12s %8s %8s\n", "bytes", "way", "us an item", "MB/s", "to pipe");
    (void)fflush(stdout); /* the end of the program reports a failure */
    tool_progress_begin(&progress, "measuring", total);
    for (size_t i = 0; i < count; i++) {
        if (!measure(sizes[i], rounds, &progress)) {
            return TOOL_FAILED;
        }
    }
    return TOOL_OK;
}

int tool_bench(int count, char **list)
{
    static const uint64_t defaults[] = {4096, 65536, 1048576};
    struct tool_words words = {.options = known, .count = count, .words = list};
    uint64_t bytes = 0, rounds = ROUNDS_DEFAULT;

    for (int next = tool_next(&words); next != TOOL_END; next = tool_next(&words)) {
        if (next == TOOL_HELP) {
            fputs(help, stdout);
            return TOOL_OK;
        }
        if (next == TOOL_OPERAND) {
            return tool_usage(words.value, "one operand too many");
        }
        if (next == TOOL_BAD || (next == BYTES && !tool_number("--bytes", words.value, BYTES_MAX, &bytes)) ||
            (next == ROUNDS && !tool_number("--rounds", words.value, ROUNDS_MAX, &rounds)) ||
            (next == PROGRESS && !tool_progress_when(words.value))) {
            return TOOL_USAGE;
        }
    }
    if (bytes % 8 != 0) {
        return tool_usage("--bytes", "no multiple of 8");
    }
    return bytes != 0 ? bench(&bytes, 1, rounds) : bench(defaults, 3, rounds);
}
