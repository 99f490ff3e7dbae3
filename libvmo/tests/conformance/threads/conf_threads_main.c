/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the suite in two threads at once, each with its own registries. ThreadSanitizer looks for races. */
#include <pthread.h>
#include <stdio.h>

#include "conformance/threads/conf_threads.h"

static void *first(void *failed)
{
    *(int *)failed = conf_threads_suite_1();
    return NULL;
}

static void *second(void *failed)
{
    *(int *)failed = conf_threads_suite_2();
    return NULL;
}

int main(void)
{
    pthread_t threads[2];
    int failed[2] = {1, 1};

    if (pthread_create(&threads[0], NULL, first, &failed[0]) != 0 ||
        pthread_create(&threads[1], NULL, second, &failed[1]) != 0) {
        return 2;
    }
    for (int i = 0; i < 2; i++) {
        if (pthread_join(threads[i], NULL) != 0) {
            return 2;
        }
    }
    printf("# threads: end %d %d\n", failed[0], failed[1]);
    return failed[0] || failed[1];
}
