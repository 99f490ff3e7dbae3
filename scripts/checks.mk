# SPDX-License-Identifier: Apache-2.0
# Checks that need separate builds: static analysis, coverage, valgrind, another C library, another Debian. CI runs each.

# ---- Flavours ------------------------------------------------------------------------------------
# ana: only for gcc's analyzer, which finds the most at -O0. cov: counts lines and branches.
ANALYZE_CFLAGS := $(HOST_WARN) -O0 -g -fanalyzer
COVERAGE_CFLAGS := $(HOST_WARN) -O0 -g --coverage -fprofile-update=atomic

.PHONY: analyze coverage memcheck

# Only gcc has -fanalyzer and the counts that gcovr reads.
gcc_alone = if echo | $(HOSTCC) -dM -E -x c - | grep -q __clang__; then echo "make: analyze and coverage need gcc, not $(HOSTCC)" >&2; exit 2; fi &&

# The library's core is analyzed with the types of both backends that the host has.
ANALYZE_OBJS := $(call objects,ana,$(LIBVMO_LINUX_SRCS) $(sort $(wildcard boot/core/*.c))) $(call objects,ana/fake,$(LIBVMO_FAKE_SRCS))
NEEDS_analyze := $(ANALYZE_OBJS)
TOOLS_analyze := analyze
CHECKS_analyze = $(gcc_alone)
analyze: built ## gcc -fanalyzer, clang-tidy and cppcheck, at zero findings
	@echo "analyze: gcc -fanalyzer, $(words $(ANALYZE_OBJS)) files, zero findings"
	@scripts/analyze.sh

# The tests of the core for gcov and valgrind, without the sanitizers: these add branches, and valgrind replaces them.
FAKE_TESTS := $(UNIT_TESTS:%=libvmo/tests/unit/%) $(CONF)/conf_fake
COVERAGE_TESTS := $(FAKE_TESTS:%=$(BUILD)/cov/fake/%)
COVERAGE_CORE_TESTS := $(CORE_TESTS:%=$(BUILD)/cov/boot/tests/core/%) $(BUILD)/cov/boot/tests/model/test_model_core
COVERAGE_LX_TESTS := $(patsubst %,$(BUILD)/cov/%,$(LX_TESTS:%=libvmo/tests/%) $(LX_SHA256) $(CONF)/conf_linux $(LX_MACHINE) $(LX_ERRNO)/test_errno)
# What of the core only Linux uses: descriptors, many peers, objects that are held already.
COVERAGE_SRC_ON_LINUX := $(addprefix $(BUILD)/cov/libvmo/tests/linux/,test_lx_import test_lx_poll test_lx_again test_lx_seals test_lx_keep) \
                         $(BUILD)/cov/$(CONF)/conf_linux
# valgrind calls it an error that test_stream_moment reads a protected page.
MEMCHECK_TESTS := $(filter-out %/test_stream_moment,$(FAKE_TESTS:%=$(BUILD)/host/fake/%))

NEEDS_coverage := $(COVERAGE_TESTS) $(COVERAGE_CORE_TESTS) $(COVERAGE_LX_TESTS) $(BUILD)/cov/libvmo/tests/linux/lx_child
CHECKS_coverage = $(gcc_alone)
TOOLS_coverage := openssl cmocka coverage
coverage: built ## measure the lines and branches of library and kernel core that tests reach; fail below the targets
	@scripts/coverage.sh $(BUILD)/cov libvmo/src/ 98 90 $(COVERAGE_TESTS) $(COVERAGE_SRC_ON_LINUX)
	@LX_FUZZ_PACKETS=20000 scripts/coverage.sh $(BUILD)/cov libvmo/backend/linux/ 97 90 $(COVERAGE_LX_TESTS)
	@scripts/coverage.sh $(BUILD)/cov 'boot/(core|sys)/|boot/init/bootargs' 95 90 $(COVERAGE_CORE_TESTS)

NEEDS_memcheck := $(MEMCHECK_TESTS)
TOOLS_memcheck := openssl cmocka memcheck
memcheck: built ## the tests of the core under valgrind, at zero errors
	@scripts/memcheck.sh $(MEMCHECK_TESTS)

# ---- Model ------------------------------------------------------------------------------------------
# The protocol of streams, exhaustively: two minutes on two idle processors, 1.5 GiB for each of two searches.
.PHONY: model
TOOLS_model := model
model: built ## check the protocol of streams, and that each weaker form of it fails, with Spin
	@$(PYTHON) -B libvmo/tests/stream_model/check_model.py $(BUILD)

# ---- Mutants -----------------------------------------------------------------------------------------
# tests/mutants: one fault at a time, in a copy of the tree below $(BUILD), which starts as a copy of this build.
PART ?= 1/1
ONLY ?=
.PHONY: mutants
NEEDS_mutants = everything $(filter $(BUILD)/%,$(TEST_NEEDS) $(TEST_SUITES))
TOOLS_mutants := qemu cmocka openssl
mutants: built ## make each fault of tests/mutants in a copy of the tree; the suite that it names must fail
	@$(PYTHON) scripts/mutants.py --build $(BUILD) --part $(call quote,$(PART)) --only $(call quote,$(ONLY))

# ---- Another C library -----------------------------------------------------------------------------
# The library for Linux with musl: its conformance suite, and the installed library with the examples.
MUSLCC ?= musl-gcc
.PHONY: check-musl test-libc
TOOLS_check-musl := musl target packaging
check-musl: built ## the library for Linux with musl: conformance, installation, examples
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/musl HOSTCC=$(MUSLCC) test-libc

TEST_LIBC := $(BUILD)/host/$(CONF)/conf_linux
NEEDS_test-libc := $(TEST_LIBC)
test-libc: built
	@$(PYTHON) scripts/run-tests.py $(TEST_LIBC) $(PACKAGING_SUITE)

# ---- Another architecture --------------------------------------------------------------------------
# The library's only code for ARMv8: its SHA-256.
.PHONY: check-armv8
TOOLS_check-armv8 := armv8
NEEDS_check-armv8 := $(BUILD)/arm/$(LX_SHA256)
check-armv8: built ## the library's SHA-256 by the instructions of ARMv8, under qemu-user
	$(Q)qemu-aarch64 -cpu max $(BUILD)/arm/$(LX_SHA256) armv8

# ---- Another Debian --------------------------------------------------------------------------------
.PHONY: check-trixie
TOOLS_check-trixie := trixie lint
check-trixie: built ## on a Debian 13 that debootstrap makes in $(BUILD): setup, run-qemu, test-fast, lint; needs root
	@scripts/in-debian.sh $(BUILD) trixie \
	    'sh scripts/setup.sh run-qemu ABI=all; make test-fast; git init -q .; git add --all; make lint'

.PHONY: check-deb
TOOLS_check-deb := host target deb trixie
check-deb: deb ## install, use and purge the packages of `make deb` on fresh Debians 12 and 13; needs root
	@for suite in bookworm trixie; do \
	    scripts/in-debian.sh $(BUILD) $$suite 'sh libvmo/tests/packaging/try-deb.sh /deb' $(BUILD)/deb/*.deb || exit 1; done

# ---- The pages --------------------------------------------------------------------------------------
# CI does not run it: to install a browser takes longer than any of its checks.
.PHONY: report check-report
# Benchmarks leave their figures in $(BUILD)/figures. Those that take seconds are run if they are not there.
NEEDS_report := $(BUILD)/host/libvmo/tests/bench/bench_bytes $(BUILD)/host/libvmo/tests/bench/bench_sha256
TOOLS_report := openssl
report: built ## draw the recorded figures as a page, report.html in the build folder
	$(Q)[ -e $(BUILD)/figures/bench-bytes.tsv ] || $(PYTHON) -B $(BENCH)/bench_again.py bytes >/dev/null
	$(Q)[ -e $(BUILD)/figures/bench-sha256.tsv ] || $(PYTHON) -B $(BENCH)/bench_again.py sha256 >/dev/null
	@cd scripts && $(PYTHON) -B -m report.figures_page $(BUILD)

CHECKS_check-report = { command -v chromium >/dev/null || { echo "make: missing chromium (shows the pages; package chromium): apt-get install --no-install-recommends chromium" >&2; exit 2; }; } &&
check-report: built ## look at the pages of a run in Chromium: on a phone and a screen, light and dark, and on paper
	@$(PYTHON) scripts/run-tests.py scripts/report/tests/check_report.py
