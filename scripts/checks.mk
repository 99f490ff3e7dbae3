# SPDX-License-Identifier: Apache-2.0
# Checks that need builds of their own: static analysis, coverage, valgrind. CI runs each of them.

# ---- Flavours ------------------------------------------------------------------------------------
# ana: compiled for gcc's analyzer alone, which sees most at -O0. cov: counts lines and branches.
ANALYZE_CFLAGS := $(HOST_WARN) -O0 -g -fanalyzer
COVERAGE_CFLAGS := $(HOST_WARN) -O0 -g --coverage -fprofile-update=atomic

.PHONY: analyze coverage memcheck

# The library's core is looked at with the types of both backends that the host has.
ANALYZE_OBJS := $(call objects,ana,$(LIBVMO_LINUX_SRCS) $(sort $(wildcard boot/core/*.c))) $(call objects,ana/fake,$(LIBVMO_FAKE_SRCS))
NEEDS_analyze := $(ANALYZE_OBJS)
TOOLS_analyze := gcc analyze
analyze: built ## gcc -fanalyzer, clang-tidy and cppcheck, at zero findings
	@echo "analyze: gcc -fanalyzer, $(words $(ANALYZE_OBJS)) files, zero findings"
	@scripts/analyze.sh

# The tests of the core, built to be counted and to be watched, without the sanitizers: these would count branches of
# their own, and valgrind is one itself.
FAKE_TESTS := $(UNIT_TESTS:%=libvmo/tests/unit/%) $(CONF)/conf_fake
COVERAGE_TESTS := $(FAKE_TESTS:%=$(BUILD)/cov/fake/%)
COVERAGE_CORE_TESTS := $(CORE_TESTS:%=$(BUILD)/cov/boot/tests/core/%) $(BUILD)/cov/boot/tests/model/test_model_core
MEMCHECK_TESTS := $(FAKE_TESTS:%=$(BUILD)/host/fake/%)

NEEDS_coverage := $(COVERAGE_TESTS) $(COVERAGE_CORE_TESTS)
TOOLS_coverage := gcc openssl cmocka coverage
coverage: built ## lines and branches of library and kernel core that tests reach; fails below the targets
	@scripts/coverage.sh $(BUILD)/cov libvmo/src/ 98 90 $(COVERAGE_TESTS)
	@scripts/coverage.sh $(BUILD)/cov 'boot/(core|sys)/|boot/init/bootargs' 95 90 $(COVERAGE_CORE_TESTS)

NEEDS_memcheck := $(MEMCHECK_TESTS)
TOOLS_memcheck := openssl cmocka memcheck
memcheck: built ## the tests of the core under valgrind, at zero errors
	@scripts/memcheck.sh $(MEMCHECK_TESTS)
