/* SPDX-License-Identifier: Apache-2.0 */
/* What the fake kernel lacks, as its be_types.h says. The core calls none of these: a build without
 * optimisation still links the calls. */
#include "backend.h"
#include "backend_stream.h"

vmo_status be_huge_pages(uint8_t *shift)
{
    (void)shift;
    return VMO_ERR_UNSUPPORTED;
}

vmo_status be_stream_notifier_make(struct be_peer *peer, uint64_t deadline_ns, uint32_t *name, int32_t *end)
{
    (void)peer;
    (void)deadline_ns;
    (void)name;
    (void)end;
    return VMO_ERR_UNSUPPORTED;
}

vmo_status be_stream_notifier_take(struct be_peer *peer, uint32_t name, int32_t *end)
{
    (void)peer;
    (void)name;
    (void)end;
    return VMO_ERR_UNSUPPORTED;
}

void be_stream_notify(int32_t end)
{
    (void)end;
}

void be_stream_notifier_clear(int32_t end)
{
    (void)end;
}

bool be_stream_notifier_hung_up(int32_t end)
{
    (void)end;
    return false;
}

vmo_status be_stream_group_make(int32_t *group)
{
    (void)group;
    return VMO_ERR_UNSUPPORTED;
}

vmo_status be_stream_group_add(int32_t group, int32_t end)
{
    (void)group;
    (void)end;
    return VMO_ERR_UNSUPPORTED;
}

void be_stream_notifier_close(int32_t group, int32_t *end)
{
    (void)group;
    (void)end;
}
