/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs random programs on the kernel core. The model checks each answer, and a walk checks the kernel's
 * tables. The test shrinks a failing program and prints it for --replay. OPS sets the number of operations,
 * SEED the first seed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/model_kind.h"
#include "model/model_shrink.h"

#define OPS 100000
#define RARE_OPS 1000000
#define SEED 1
#define OPS_A2 1500     /* per boot */
#define OPS_A1 1200     /* fewer, because a1 frees nothing and runs out of resources */
#define CHECK_EVERY 32  /* operations between two walks */
#define FAULT_OPS 400   /* per program with an injected fault */
#define FAULT_SEEDS 20  /* seeds to try for an injected fault */
#define CPU_SECONDS 600 /* limit of each process of this test */
#define SHORT 15        /* maximum operations of a shrunk program with an injected fault */

/* Shared with the child process, because a program may crash the process that runs it. */
struct shared {
    struct program program;
    struct model_result result;
    char why[80];
    struct host_counts counts[2]; /* a2, a1 */
    uint64_t executed;
};
static struct shared *shared;

static unsigned results, failures;

static void result(bool good, const char *name)
{
    results++;
    failures += !good;
    printf("%s %u - %s\n", good ? "ok" : "not ok", results, name);
    fflush(stdout);
}

/* ---- Child processes ----------------------------------------------------------------------------------- */

/* Runs the body in a child process. Returns false if it returns false, crashes, or uses up CPU_SECONDS. */
static bool survives(bool (*body)(void *ctx), void *ctx)
{
    static const struct rlimit limit = {CPU_SECONDS, CPU_SECONDS};
    int status = 0;
    fflush(stdout);
    fflush(stderr);
    const pid_t pid = fork();
    if (pid == 0) {
        const bool good = setrlimit(RLIMIT_CPU, &limit) == 0 && body(ctx);
        fflush(stdout);
        _exit(good ? 0 : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- Shrinking ----------------------------------------------------------------------------------------- */

static const struct host closely = {.check_every = 1};

/* Whether the attempt fails with the same reason. */
static bool has_same_failure(const struct program *attempt, void *ctx)
{
    struct model_result r;
    (void)ctx;
    return !program_run(attempt, closely, &r) && strcmp(r.why, shared->why) == 0;
}

static bool shrink_here(void *ctx)
{
    struct model_result r;
    (void)ctx;
    if (program_run(&shared->program, closely, &r)) {
        return false;
    }
    snprintf(shared->why, sizeof(shared->why), "%s", r.why);
    program_shrink(&shared->program, r.at, has_same_failure, NULL);
    return !program_run(&shared->program, closely, &shared->result);
}

static bool program_passes(void *ctx)
{
    struct model_result r;
    return freopen("/dev/null", "w", stderr) != NULL && program_run(ctx, closely, &r);
}

static bool has_any_failure(const struct program *attempt, void *ctx)
{
    static struct program copy;
    (void)ctx;
    copy = *attempt;
    return !survives(program_passes, &copy);
}

/* Shrinks the failing program in `shared`, in one child process if it survives, else with one per attempt. */
static void shrink(void)
{
    if (survives(shrink_here, NULL)) {
        return;
    }
    snprintf(shared->why, sizeof(shared->why), "the run crashed or did not end");
    program_shrink(&shared->program, shared->program.ops, has_any_failure, NULL);
}

static void print_op(const struct model_op *op, const struct model_answer *answer)
{
    char text[200];
    model_op_text(op, text, sizeof(text));
    printf("#   %s -> %" PRId64, text, answer->a0);
    printf(answer->ended ? " (ended)\n" : "\n");
    fflush(stdout);
}

/* Prints each executed operation with its answer, and the error at the end. */
static bool show(void *ctx)
{
    static const struct host host = {.check_every = 1, .trace = print_op};
    struct model_result r;
    if (program_run(ctx, host, &r)) {
        printf("# %u operations, no failure\n", r.executed);
        return true;
    }
    printf("# failed after %u operations: %s", r.executed, r.why);
    if (strcmp(r.why, "a0") == 0) {
        printf(", %" PRId64 " was expected", r.wanted);
    }
    printf("\n");
    fflush(stdout);
    return false;
}

static void report(void)
{
    shrink();
    printf("# replay: test_model_core --replay '");
    program_print(&shared->program);
    printf("'\n");
    (void)survives(show, &shared->program);
}

static int replay(const char *text)
{
    static struct program program;
    if (program_parse(&program, text)) {
        return survives(show, &program) ? 0 : 1;
    }
    fprintf(stderr, "test_model_core: --replay: not a program: %s\n", text);
    return 2;
}

/* ---- Runs ---------------------------------------------------------------------------------------------- */

struct batch {
    const struct host_boot *boot;
    uint64_t seed, ops;
};

static bool run_batch(void *ctx)
{
    const struct batch *batch = ctx;
    const struct host host = {.check_every = CHECK_EVERY, .counts = &shared->counts[batch->boot->is_a1]};
    uint64_t done = 0;
    for (uint64_t seed = batch->seed; done < batch->ops; seed++) {
        shared->program =
            (struct program){.boot = batch->boot, .seed = seed, .ops = batch->boot->is_a1 ? OPS_A1 : OPS_A2};
        if (!program_run(&shared->program, host, &shared->result)) {
            return false;
        }
        const uint64_t tenth = 10 * done / batch->ops;
        done += shared->result.executed;
        shared->executed += shared->result.executed;
        if (10 * done / batch->ops > tenth) { /* run-tests.py reads this */
            printf("# %" PRIu64 " of %" PRIu64 " operations\n", shared->executed,
                   batch->ops * host_boot_count);
            fflush(stdout);
        }
    }
    return true;
}

static void test_boot(const struct host_boot *boot, uint64_t seed, uint64_t ops)
{
    char name[100];
    struct batch batch = {boot, seed, ops};
    const bool good = survives(run_batch, &batch);
    snprintf(name, sizeof(name), "random programs on %s", boot->name);
    result(good, name);
    if (!good) {
        report();
    }
}

/* ---- Coverage of the programs -------------------------------------------------------------------------- */

/* Whether some operation of this kind must succeed on this revision. */
static bool can_succeed(unsigned is_a1, uint8_t kind)
{
    return kind != NX_SYS_EXEC && kind != NX_SYS_EP_CREATE_OLD && model_has(is_a1 != 0, kind);
}

static void print_counts(unsigned is_a1)
{
    const struct model_kind *row;
    for (unsigned i = 0; (row = model_kind_at(i)) != NULL; i++) {
        const uint8_t kind = row->kind;
        const uint64_t *answers = shared->counts[is_a1].answers[kind];
        printf("# %s %-16s ok %-7" PRIu64, is_a1 ? "a1" : "a2", model_kind_name(kind), answers[0]);
        for (unsigned why = 1; why < HOST_ENDED; why++) {
            if (answers[why] != 0) {
                printf(" -%u: %" PRIu64, why, answers[why]);
            }
        }
        if (answers[HOST_ENDED] != 0) {
            printf(" ended: %" PRIu64, answers[HOST_ENDED]);
        }
        printf("\n");
    }
}

/* The errors that the programs must reach. */
static const struct refusal {
    uint8_t kind;
    uint8_t errno_of[2]; /* a2, a1; 0: none */
} refusals[] = {
    {NX_SYS_VMO_CREATE, {NX_ENOSPC, NX_ENOSPC}},
    {NX_SYS_VMO_CREATE, {NX_EPERM, NX_EPERM}},
    {NX_SYS_VMO_WRITE, {NX_EPERM, NX_EPERM}},
    {NX_SYS_VMO_WRITE, {NX_EINVAL, NX_EINVAL}},
    {NX_SYS_VMO_DESTROY, {NX_EPERM, 0}},
    {NX_SYS_VMO_DESTROY, {NX_EBUSY, 0}},
    {NX_SYS_VMO_SHARE_RO, {NX_ENOSPC, 0}},
    {NX_SYS_MAP, {0, NX_EPERM}},
    {NX_SYS_MAP, {0, NX_EINVAL}},
    {NX_SYS_VM_MAP, {NX_ENOMEM, 0}},
    {NX_SYS_VM_MAP, {NX_EEXIST, 0}},
    {NX_SYS_VM_MAP, {NX_ENOSPC, 0}},
    {NX_SYS_VM_UNMAP, {NX_EPERM, 0}},
    {NX_SYS_VM_UNMAP, {NX_ENOENT, 0}},
    {OP_LOAD, {HOST_ENDED, HOST_ENDED}},
    {OP_STORE, {HOST_ENDED, HOST_ENDED}},
    {NX_SYS_CAP_TRANSFER, {NX_EPERM, NX_EPERM}},
    {NX_SYS_CAP_CLONE, {NX_ENOSPC, NX_ENOSPC}},
    {NX_SYS_AS_MAP, {NX_EEXIST, NX_EINVAL}},
    {NX_SYS_EP_CREATE, {NX_ENOSPC, NX_ENOSPC}},
    {NX_SYS_EP_CREATE_FOR, {NX_EPERM, NX_EPERM}},
    {NX_SYS_EP_CLOSE, {NX_ESRCH, NX_ESRCH}},
    {NX_SYS_IPC_SEND, {NX_ESRCH, NX_ESRCH}},
    {NX_SYS_IPC_SEND, {NX_EAGAIN, NX_EAGAIN}},
    {NX_SYS_IPC_SEND, {NX_ENOSPC, 0}},
    {NX_SYS_IPC_RECV, {NX_ENOSPC, NX_ENOSPC}},
    {NX_SYS_IPC_RECV, {NX_ESRCH, NX_ESRCH}},
    {NX_SYS_IPC_RECV_V2, {NX_EINVAL, NX_EINVAL}},
    {NX_SYS_TASK_RESUME, {NX_ESRCH, 0}},
    {NX_SYS_WAIT, {NX_ESRCH, NX_ESRCH}},
    {NX_SYS_WAIT, {NX_ECHILD, NX_ECHILD}},
};

/* A full window: a map that K-26 refuses once is refused for the rest of its boot. `make property` reaches
 * it. */
static bool is_rare(uint8_t kind, uint8_t why)
{
    return kind == NX_SYS_VM_MAP && why == NX_ENOMEM;
}

static bool limits_were_reached(unsigned is_a1, uint64_t ops)
{
    bool good = true;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const uint8_t kind = refusals[i].kind, why = refusals[i].errno_of[is_a1];
        const bool wanted = why != 0 && (!is_rare(kind, why) || ops >= RARE_OPS);
        const bool met = !wanted || shared->counts[is_a1].answers[kind][why] > 0;
        if (!met) {
            printf("# %s never returned -%u\n", model_kind_name(kind), why);
        }
        good = good && met;
    }
    return good;
}

static bool all_succeeded(unsigned is_a1)
{
    const struct model_kind *row;
    bool good = true;
    for (unsigned i = 0; (row = model_kind_at(i)) != NULL; i++) {
        const uint8_t kind = row->kind;
        const uint64_t *answers = shared->counts[is_a1].answers[kind];
        const bool ends = kind == NX_SYS_EXIT || kind == OP_FAULT;
        const bool done = !can_succeed(is_a1, kind) || answers[ends ? HOST_ENDED : 0] > 0;
        if (!done) {
            printf("# %s never succeeded\n", model_kind_name(kind));
        }
        good = good && done;
    }
    return good;
}

static void test_mix(unsigned is_a1, uint64_t ops)
{
    print_counts(is_a1);
    result(all_succeeded(is_a1), is_a1 ? "every kind succeeded on a1" : "every kind succeeded on a2");
    if (ops >= OPS) {
        result(limits_were_reached(is_a1, ops),
               is_a1 ? "every listed error occurred on a1" : "every listed error occurred on a2");
    }
}

/* ---- Omitted classes ----------------------------------------------------------------------------------- */

#define CLASS_OPS 600
#define CLASS_SEEDS 20 /* seeds to try for an operation of a class */

/* Runs programs until one has omitted operations, on the first boot of either revision that has any. */
static bool leaves_out(void *ctx)
{
    const uint64_t *classes = ctx;
    struct program *program = &shared->program;
    for (uint64_t seed = 1; seed <= CLASS_SEEDS && shared->result.skipped == 0; seed++) {
        for (size_t i = 0; i < host_boot_count && shared->result.skipped == 0; i++) {
            *program =
                (struct program){.boot = &host_boots[i], .seed = seed, .ops = CLASS_OPS, .classes = *classes};
            if (!program_run(program, closely, &shared->result)) {
                return false;
            }
        }
    }
    return shared->result.skipped > 0;
}

static bool has_class_of_its_own(uint8_t kind)
{
    const char *name;
    for (unsigned n = 0; (name = model_class_name(n)) != NULL; n++) {
        const struct model_op op = {.kind = kind};
        if (strcmp(name, model_kind_name(kind)) == 0) {
            return model_class_has(n, &op, (const uint64_t[OP_ARGS]){0});
        }
    }
    return false;
}

static void test_classes(void)
{
    const struct model_kind *row;
    bool good = true;
    for (unsigned i = 0; (row = model_kind_at(i)) != NULL; i++) {
        if (!has_class_of_its_own(row->kind)) {
            printf("# no class %s\n", model_kind_name(row->kind));
            good = false;
        }
    }
    result(good, "every kind of operation can be left out by its name");
    good = true;
    for (unsigned n = 0; model_class_name(n) != NULL; n++) {
        uint64_t classes = UINT64_C(1) << n;
        shared->result.skipped = 0;
        if (!survives(leaves_out, &classes)) {
            printf("# without class %s: %s\n", model_class_name(n),
                   shared->result.skipped ? "wrong" : "none");
            good = false;
        }
    }
    result(good, "a program without the operations of a class passes, and says how many it left out");
}

/* ---- Injected faults ----------------------------------------------------------------------------------- */

/* Finds a seed whose program fails with the fault, and leaves the program in `shared`. */
static bool find_failing_seed(enum host_fault fault)
{
    for (uint64_t seed = 1; seed <= FAULT_SEEDS; seed++) {
        shared->program =
            (struct program){.boot = &host_boots[0], .seed = seed, .ops = FAULT_OPS, .fault = fault};
        if (has_any_failure(&shared->program, NULL)) {
            return true;
        }
    }
    return false;
}

/* The fault makes a program fail. The program shrinks, still fails, and passes without the fault. */
static void test_fault(enum host_fault fault, const char *what)
{
    static struct program again;
    char name[120];
    bool good = find_failing_seed(fault);
    if (good) {
        shrink();
    }
    again = shared->program;
    again.fault = FAULT_NONE;
    const uint32_t kept = program_kept(&again);
    good = good && kept <= SHORT && has_any_failure(&shared->program, NULL) && !has_any_failure(&again, NULL);
    printf("# %s: %s; ", what, shared->why);
    program_print(&shared->program);
    printf("\n");
    snprintf(name, sizeof(name), "%s is found, shrinks to %u operations and fails again", what, kept);
    result(good, name);
}

/* Reads a number; an invalid one ends the program. */
static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    char *end = NULL;
    if (text == NULL || *text == '\0') {
        return otherwise;
    }
    errno = 0;
    const uint64_t value = strtoull(text, &end, 0);
    if (errno == 0 && *end == '\0' && *text != '-') {
        return value;
    }
    fprintf(stderr, "test_model_core: %s=%s: not a number; use digits, e.g. %s=1\n", name, text, name);
    exit(2);
}

int main(int argc, char **argv)
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        return 2;
    }
    if (argc == 3 && strcmp(argv[1], "--replay") == 0) {
        return replay(argv[2]);
    }

    const uint64_t ops = from_environment("OPS", OPS), seed = from_environment("SEED", SEED);
    for (size_t i = 0; i < host_boot_count; i++) {
        test_boot(&host_boots[i], seed, ops / host_boot_count);
    }
    printf("# %" PRIu64 " operations from seed %" PRIu64 "\n", shared->executed, seed);
    test_mix(0, ops);
    test_mix(1, ops);
    test_classes();
    test_fault(FAULT_ALIAS_IS_WRITABLE, "an alias that can be written");
    test_fault(FAULT_MOVE_KEEPS, "a moved capability that stays");
    test_fault(FAULT_UNMAP_KEEPS, "an unmapped page that stays");
    test_fault(FAULT_FREES_ROOT, "a crash");
    printf("1..%u\n", results);
    return failures == 0 ? 0 : 1;
}
