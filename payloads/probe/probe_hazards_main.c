/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The third probe program: cases that the contract decides and our kernel records as hazards (K-03, K-55).
 * The real kernels survive them. The program is separate so that the other two run without a hazard.
 */
#include "probe/probe.h"

void probe_main(const uint64_t *start);

static void storm(void)
{
    const uint64_t args[6] = {0};
    int64_t answer = CALL(NX_SYS_GETPID, 0);
    for (unsigned i = 0; i <= NX_STORM_LIMIT && answer >= 0; i++) {
        answer = probe_ecall_even(NX_SYS_GETPID, args).a0;
    }
    row("K-03.10002", "getpid", "10002 calls from one address", answer);
    answer = probe_ecall_odd(NX_SYS_GETPID, args).a0;
    row_if("K-03.over", "getpid", "then from another address", answer == NX_PID_INIT, "own-pid", answer);
}

static void blocks_alone(void)
{
    const uint64_t endpoint = new_endpoint(1);
    struct nx_ipc_hdr hdr = {.len = 0};
    uint64_t word = 0;
    ROW("K-55.recv", "for ever, nothing else can run", NX_SYS_IPC_RECV, endpoint, at(&hdr), at(&word),
        sizeof(word), 0, 0);
    (void)post(endpoint, &hdr, &word);
    ROW("K-55.send", "for ever, nothing else can run", NX_SYS_IPC_SEND, endpoint, at(&hdr), at(&word), 0, 0,
        0);
    (void)CALL(NX_SYS_EP_CLOSE, endpoint);
}

void probe_main(const uint64_t *start)
{
    (void)start;
    probe_revision_row();
    storm();
    blocks_alone();
    probe_done();
}
