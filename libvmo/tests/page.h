/* SPDX-License-Identifier: Apache-2.0 */
/* Page size of every platform on which the suites run. */
#ifndef TESTS_PAGE_H
#define TESTS_PAGE_H

#include <stdint.h>

#define PAGE UINT64_C(4096)

#endif
