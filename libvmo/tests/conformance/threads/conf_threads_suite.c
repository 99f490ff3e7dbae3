/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/threads/conf_threads.h"

#include "conformance/conf.h"

int conf_threads_suite(void)
{
    int failed = 0;

    for (size_t i = 0; i < conf_group_count; i++) {
        const char *name = conf_groups[i]->name;
        if (strncmp(name, "full-", strlen("full-")) != 0) {
            failed |= conf_run(name);
        }
    }
    return failed;
}
