/* SPDX-License-Identifier: Apache-2.0 */
#include "core/grant.h"

#include "core/audit.h"
#include "core/config.h"
#include "core/endpoint.h"
#include "core/task.h"

static uint32_t writable_in(const struct cap_table *table, uint32_t vmo_id)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < table->end; slot++) {
        count += table->slots[slot].kind == CAP_VMO && table->slots[slot].object == vmo_id;
    }
    return count;
}

/* Counts the capabilities through which any task can still write the VMO: an alias cannot (K-28). */
static uint32_t count_writable(uint32_t vmo_id)
{
    uint32_t count = ep_count_moving_writable(vmo_id);
    for (uint64_t pid = 0; pid < NX_PID_INIT; pid++) {
        count += writable_in(task_receiver(pid), vmo_id);
    }
    for (const struct task *task = task_after(NULL); task != NULL; task = task_after(task)) {
        count += writable_in(&task->caps, vmo_id);
    }
    return count;
}

void grant_report(uint32_t from, uint32_t to, enum audit_grant_via via, uint32_t slot, const struct cap *cap)
{
    const bool counts = the_config.hashes && cap_is_memory(cap);
    audit_grant(from, to, via, slot, cap, counts ? count_writable(cap->object) : 0);
}
