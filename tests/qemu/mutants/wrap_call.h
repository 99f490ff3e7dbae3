/* SPDX-License-Identifier: Apache-2.0 */
/* For mutants of a system call: they define __wrap_nx_call, which calls __real_nx_call. Others make their own
 * calls by nx_call. */
#ifndef WRAP_CALL_H
#define WRAP_CALL_H

#include <stdint.h>

struct nx_result {
    int64_t a0, a1;
};

struct nx_result __real_nx_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                                uint64_t number);
struct nx_result __wrap_nx_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                                uint64_t number);
struct nx_result nx_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                         uint64_t number);

#endif
