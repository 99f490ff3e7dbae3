/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Linux backend under every error: runs each story once for every planned failure, and prints what was
 * injected.
 *
 *   test_errno          each pair of a call site, as its API function reaches it, and an error once; of a
 *                       story that is marked EACH_CALL, every call
 *   test_errno full     every call of every story with every error
 *   test_errno trace    the calls of each story
 *   test_errno only STORY
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linux/errno/lx_step.h"

#define PAIRS_MAX 16384

struct pair {
    const char *function;
    uintptr_t site;
    enum row row;
    enum lane lane;
    enum how how;
    int error;
    bool old_kernel;
};

struct tally {
    uint32_t sites;
    uint32_t injected;
    uint32_t passed;
};

static struct pair pairs[PAIRS_MAX];
static size_t pair_count;
static struct tally tallies[ROWS];
static bool full;
static bool good = true; /* this story */
static uint32_t repeated;

/* ---- One run ------------------------------------------------------------------------------------------ */

/* Runs a story in a new process. wrap->text says what went wrong. */
static void run_once(const struct story *story, bool old_kernel, const struct wrap_plan *plan)
{
    int ended = 0;

    memset(wrap, 0, sizeof(*wrap));
    wrap->plan = *plan;
    (void)fflush(stdout);
    const pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(2);
    }
    if (pid == 0) {
        step_run(story, old_kernel);
    }
    while (waitpid(pid, &ended, 0) < 0 && errno == EINTR) {
    }
    wrap->armed = false;
    if (WIFSIGNALED(ended)) {
        (void)snprintf(wrap->text, sizeof(wrap->text), "signal %d", WTERMSIG(ended));
    } else if (WEXITSTATUS(ended) && wrap->text[0] == '\0') {
        (void)snprintf(wrap->text, sizeof(wrap->text), "exit status %d", WEXITSTATUS(ended));
    }
}

/* ---- Failures ------------------------------------------------------------------------------------------ */

static const char *how_name(const struct wrap_plan *plan)
{
    static const char *const names[HOWS] = {"", " always", "moves half", "moves nothing", "killed"};

    return names[plan->how];
}

/* How often to run a story again in which the planned call did not come: on a busy machine a deadline may
 * pass before the call that would wait for it. */
#define AGAIN_MAX 16

static void inject(const struct story *story, bool old_kernel, struct wrap_plan *plan)
{
    struct tally *tally = &tallies[plan->row];

    run_once(story, old_kernel, plan);
    for (uint32_t i = 0; i < AGAIN_MAX && strcmp(wrap->text, STEP_NOT_COME) == 0; i++) {
        repeated++;
        run_once(story, old_kernel, plan);
    }
    tally->injected++;
    if (wrap->text[0] == '\0') {
        tally->passed++;
        return;
    }
    good = false;
    const bool error = plan->how == HOW_ERROR || plan->how == HOW_ALWAYS;
    printf("# not passed: %s%s: %s: %s%s %s%s, call %" PRIu32 ": %s\n", story->name,
           old_kernel ? " (old kernel)" : "", wrap->function[plan->step],
           plan->lane == LANE_CHILD ? "child's " : "", wrap_rows[plan->row].name,
           error ? strerrorname_np(plan->error) : "", how_name(plan), plan->nth, wrap->text);
}

/* True the first time that this API function meets the error at this site. */
static bool is_new(const struct pair *pair)
{
    bool site_seen = false;

    for (size_t i = 0; i < pair_count; i++) {
        const struct pair *seen = &pairs[i];
        site_seen = site_seen || (seen->site == pair->site && seen->row == pair->row);
        if (seen->site == pair->site && seen->row == pair->row && seen->lane == pair->lane &&
            seen->how == pair->how && seen->error == pair->error && seen->old_kernel == pair->old_kernel &&
            strcmp(seen->function, pair->function) == 0) {
            return false;
        }
    }
    tallies[pair->row].sites += !site_seen;
    if (pair_count == PAIRS_MAX) {
        puts("Bail out! PAIRS_MAX is too small");
        exit(2);
    }
    pairs[pair_count++] = *pair;
    return true;
}

/* Some errors last for a moment only: a call that met nothing else would wait for ever, unless it has a
 * deadline. What the kernel never unmaps or reaps stays. */
static bool may_last(enum row row, int error, const char *function)
{
    const bool waits = strcmp(function, "vmo_send") == 0 || strcmp(function, "vmo_recv") == 0;

    if (waits && (row == ROW_sendmsg || row == ROW_send || row == ROW_recvmsg || row == ROW_recv)) {
        return error != EAGAIN;
    }
    return error != EINTR && error != EAGAIN && error != ECONNRESET && row != ROW_clock_gettime &&
           row != ROW_munmap && row != ROW_waitpid;
}

static void fail_call(const struct story *story, bool old_kernel, struct wrap_plan plan,
                      const struct wrap_call *call, const char *function)
{
    const struct pair pair = {function, call->site, plan.row, plan.lane, plan.how, plan.error, old_kernel};

    if (!is_new(&pair) && !full && !(story->marks & EACH_CALL)) {
        return;
    }
    inject(story, old_kernel, &plan);
    if (plan.how == HOW_ERROR && wrap->absorbed && wrap->text[0] == '\0' &&
        may_last(plan.row, plan.error, function)) {
        plan.how = HOW_ALWAYS;
        inject(story, old_kernel, &plan);
    }
}

static bool moves_bytes(enum row row)
{
    return row == ROW_read || row == ROW_write || row == ROW_pread || row == ROW_pwrite ||
           row == ROW_sendfile || row == ROW_process_vm_readv;
}

/* Fails one call of a run without failures in every way. */
static void fail_in_every_way(const struct story *story, bool old_kernel, enum lane lane, uint32_t nth,
                              const struct wrap_call *call, const char *function)
{
    struct wrap_plan plan = {.set = true, .lane = lane, .nth = nth, .row = call->row, .step = call->step};

    for (const int *error = wrap_rows[call->row].errors; *error; error++) {
        plan.error = *error;
        fail_call(story, old_kernel, plan, call, function);
    }
    plan.error = 0;
    if (moves_bytes(call->row) || call->row == ROW_sendmsg) {
        plan.how = HOW_SHORT;
        fail_call(story, old_kernel, plan, call, function);
    }
    if (moves_bytes(call->row) && call->row != ROW_read) { /* of a pipe: 0 is its end, not an error */
        plan.how = HOW_NOTHING;
        fail_call(story, old_kernel, plan, call, function);
    }
    if (lane == LANE_CHILD) {
        plan.how = HOW_KILLED;
        fail_call(story, old_kernel, plan, call, function);
    }
}

/* ---- Stories ------------------------------------------------------------------------------------------- */

/* The calls of a run without a failure. */
static struct wrap_shared clean;

static void print_trace(void)
{
    for (int lane = 0; lane < LANES; lane++) {
        for (uint32_t i = 0; i < clean.count[lane] && i < TRACE_MAX; i++) {
            const struct wrap_call *call = &clean.trace[lane][i];
            printf("# %s%3" PRIu32 " %s: %s\n", lane == LANE_CHILD ? "child " : "", i,
                   clean.function[call->step], wrap_rows[call->row].name);
        }
    }
}

static void run(const struct story *story, bool old_kernel, bool trace)
{
    const struct wrap_plan none = {.set = false};

    run_once(story, old_kernel, &none);
    clean = *wrap;
    if (clean.text[0] != '\0' || clean.count[LANE_PARENT] > TRACE_MAX ||
        clean.count[LANE_CHILD] > TRACE_MAX) {
        good = false;
        printf("# %s without a failure: %s, %" PRIu32 " calls\n", story->name, clean.text,
               clean.count[LANE_PARENT]);
        return;
    }
    if (trace) {
        print_trace();
        return;
    }
    for (int lane = 0; lane < LANES; lane++) {
        for (uint32_t i = 0; i < clean.count[lane]; i++) {
            const struct wrap_call *call = &clean.trace[lane][i];
            fail_in_every_way(story, old_kernel, (enum lane)lane, i, call, clean.function[call->step]);
        }
    }
}

static void print_table(void)
{
    struct tally sum = {0, 0, 0};

    printf("# %-18s %6s %6s %8s %8s\n", "call", "sites", "errors", "injected", "passed");
    for (size_t row = 0; row < ROWS; row++) {
        const struct tally *tally = &tallies[row];
        int errors = 0;
        while (wrap_rows[row].errors[errors]) {
            errors++;
        }
        if (tally->sites) {
            printf("# %-18s %6" PRIu32 " %6d %8" PRIu32 " %8" PRIu32 "\n", wrap_rows[row].name, tally->sites,
                   errors, tally->injected, tally->passed);
        }
        sum.sites += tally->sites;
        sum.injected += tally->injected;
        sum.passed += tally->passed;
    }
    printf("# %-18s %6" PRIu32 " %6s %8" PRIu32 " %8" PRIu32 "\n", "all", sum.sites, "", sum.injected,
           sum.passed);
}

/* Runs a story with all its failures, and prints the result. */
static bool test(const struct story *story, uint32_t number, bool old_kernel, bool trace)
{
    good = true;
    run(story, old_kernel, trace);
    printf("%s %" PRIu32 " - %s%s\n", good ? "ok" : "not ok", number, story->name,
           old_kernel ? ", newer features hidden" : "");
    return good;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const char *only = argc > 2 ? argv[2] : NULL;
    const bool trace = strcmp(what, "trace") == 0;
    bool all_good = true;
    uint32_t ran = 0;
    size_t total = 0;

    for (size_t i = 0; i < story_group_count; i++) {
        total += 2 * story_groups[i]->count;
    }
    full = strcmp(what, "full") == 0;
    wrap_open();
    for (size_t i = 0; i < story_group_count; i++) {
        for (size_t j = 0; j < story_groups[i]->count; j++) {
            const struct story *story = &story_groups[i]->stories[j];
            if (only != NULL && strcmp(only, story->name) != 0) {
                continue;
            }
            ran += 2;
            all_good = test(story, ran - 1, false, trace) && all_good;
            all_good = test(story, ran, true, trace) && all_good;
            if (full) { /* run-tests.py reads this */
                printf("# %" PRIu32 " of %zu stories\n", ran, total);
                (void)fflush(stdout);
            }
        }
    }
    print_table();
    printf("# %" PRIu32 " runs repeated\n1..%" PRIu32 "\n", repeated, ran);
    return all_good ? 0 : 1;
}
