/* SPDX-License-Identifier: Apache-2.0 */
/* Page size on every platform that the suites run on. */
#ifndef TESTS_PAGE_H
#define TESTS_PAGE_H

#include <stdint.h>

#define PAGE UINT64_C(4096)

#endif
