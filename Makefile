# SPDX-License-Identifier: Apache-2.0
# libvmo and its proof. `make help` lists the goals and the variables.

# ---- Variables a caller may set ------------------------------------------------------------------
BUILD ?= build
CROSS ?= riscv64-unknown-elf-
HOSTCC ?= gcc
ARMCC ?= aarch64-linux-gnu-gcc
PYTHON ?= python3
QEMU ?= qemu-system-riscv64
PROOF ?= share
PAYLOAD ?= LICENSE
ABI ?= a2
MEM ?= 320M
KERNEL ?=
RUN ?=
OUT ?=
INIT ?=
QEMU_EXTRA ?=
V ?= 0
# Not a caller's: the inner make sets it ("Who builds", below).
LOCKED :=

# The tools print and sort the same way on every machine.
export LC_ALL := C

quote = '$(subst ','\'',$(1))'
comma := ,

# How a step shows itself: $(call Q,CC) before a command prints `  CC`, a tab and the target, or the second argument. V=1
# shows the command instead, `make -s` neither; $(Q) alone prints no line. $(info) writes a line at once: jobs mix none.
SILENT := $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
step = $(info $() $() $(1)	$(or $(2),$@))
Q = $(if $(filter 1,$(V)),,@$(if $(SILENT),,$(if $(1),$(step))))

# Some characters have a meaning for make: a path with one of them cannot be a target.
ifneq ($(shell printf %s $(call quote,$(value BUILD)) | tr -d 'A-Za-z0-9/._+@\200-\377-' | wc -c)$(words $(filter-out . .. /,$(BUILD))),01)
$(error BUILD: make cannot build in '$(value BUILD)': name a folder, with letters, digits and / . _ + @ - alone)
endif
ifneq ($(findstring :,$(CURDIR)),)
$(error the tree lies in '$(CURDIR)': move it to a path without ':', which separates the folders of a search path)
endif
# These may be any path: take them verbatim, `$$` included, and pass them on by environment.
$(foreach v,PAYLOAD KERNEL RUN OUT INIT DESTDIR PREFIX EMBED_INIT_ELF FOREIGN_OUT,$(if $(filter-out file undefined,$(origin $(v))),$(eval override $(v) := $$(value $(v)))))
export BUILD PAYLOAD QEMU PYTHON HOSTCC CROSS KERNEL RUN OUT INIT QEMU_EXTRA

# ---- Flags ---------------------------------------------------------------------------------------
# Warnings are errors, and none is switched off wholesale. A caller's CFLAGS come last.
WARN := -std=c11 -Wall -Wextra -Werror -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
        -Wmissing-prototypes -Wold-style-definition -Wundef -Wvla -Wcast-align -Wcast-align=strict -Wcast-qual -Wformat=2 \
        -Wpointer-arith -Wswitch-enum -Wunused-result -Wwrite-strings -Wimplicit-fallthrough
DEPS = -MMD -MP
# The warnings that the host's compiler knows: clang lacks some of gcc's.
knows = echo 'extern int a;' | $(1) -Werror $(2) -fsyntax-only -x c - 2>/dev/null && echo "$(2)"
known = $(shell { $(call knows,$(1),$(2)); } || for flag in $(2); do $(call knows,$(1),$$flag); done)
HOST_WARN := $(if $(LOCKED),$(call known,$(HOSTCC),$(WARN)))

# gcc 12 finds the lp64 multilib only under the 2.2 ISA spec, in which zicsr and zifencei are part of "i".
RISCV := -march=rv64imac -misa-spec=2.2 -mabi=lp64 -mcmodel=medany
# The release build of picolibc: memcpy of the default build copies single bytes, 6 instructions a byte against 0.3.
PICOLIBC := --specs=picolibc.specs --picolibc-buildtype=release -DPICOLIBC_INTEGER_PRINTF_SCANF

# -flto: a system call passes through several small files. With =auto gcc does not warn that it links in one job.
KERNEL_CFLAGS := $(RISCV) $(PICOLIBC) $(WARN) -O2 -g -ffreestanding -fno-common -ffunction-sections -fdata-sections \
                 -fno-stack-protector -fno-asynchronous-unwind-tables -flto=auto
TARGET_CFLAGS := $(RISCV) $(PICOLIBC) $(WARN) -O2 -g -fno-common -fno-asynchronous-unwind-tables \
                 -ffunction-sections -fdata-sections
# valgrind 3.19 cannot read the debug format that clang takes by default.
HOST_CFLAGS := $(HOST_WARN) -O2 -gdwarf-4
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_CFLAGS := $(HOST_WARN) -O1 -g $(SAN)
TSAN_CFLAGS := $(HOST_WARN) -O1 -g -fsanitize=thread -fno-omit-frame-pointer

# ---- Who builds ----------------------------------------------------------------------------------
# A goal names the files that it needs in NEEDS_<goal> and depends on `built`. `built` runs an inner make, LOCKED, that
# makes these files while it holds the build folder's lock, so two makes never write one file. The goal's own recipe then
# runs without the lock. TOOLS_<goal> names what else must be installed (scripts/setup.sh has the list). CHECKS_<goal> is
# a command that checks the caller's variables before anything is built.
GOALS := $(or $(MAKECMDGOALS),all)
FILES := $(filter $(BUILD)/%,$(GOALS))
NEEDS = $(sort $(FILES) $(foreach goal,$(GOALS),$(NEEDS_$(goal))))
HOST_FILES := $(foreach flavour,host pic san tsan cov ana arm,$(BUILD)/$(flavour)/%)
TOOLS = $(sort host $(if $(filter-out $(HOST_FILES),$(NEEDS)),target) $(if $(filter everything,$(NEEDS)),openssl) \
        $(foreach goal,$(GOALS),$(TOOLS_$(goal))))

CHECKS = $(foreach goal,$(GOALS),$(CHECKS_$(goal)))
# flock's exit code while another make holds the lock; make has no such code.
HELD := 75
# Say "nothing to be done" only to a caller who asked for `all`.
QUIET = $(if $(filter all,$(GOALS))$(filter 1,$(V)),,--silent SILENT=$(SILENT))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: built everything
built: $(filter clean,$(GOALS))
	+@sh scripts/setup.sh --check $(TOOLS) && $(CHECKS) mkdir -p $(BUILD)$(if $(NEEDS), && { \
	    build() { flock "$$@" $(BUILD)/.lock $(MAKE) --no-print-directory $(QUIET) LOCKED=1 $(NEEDS); }; \
	    build -n -E $(HELD) || { code=$$?; [ $$code = $(HELD) ] || exit $$code; \
	        echo "make: waits for another make in $(BUILD)" >&2; build; }; })

# A file's name is a goal, too. Then the inner make alone has the rules for it.
ifneq ($(if $(LOCKED),,$(FILES)),)
ifneq ($(filter-out $(FILES),$(GOALS)),)
$(error make the files of $(BUILD) and the other goals one after the other)
endif
.PHONY: $(FILES)
$(FILES): built ; @:
else

# ---- Parts ---------------------------------------------------------------------------------------
# Each part adds to these: ALL (what `make all` builds), TEST_SUITES (programs that print TAP), TEST_NEEDS (what else
# the suites use).
ALL :=
TEST_SUITES :=
TEST_NEEDS :=

# ---- How an object is made: a flavour is a folder of $(BUILD) and a compiler with flags ------------------
# The object has its source's path below the flavour's folder. INCLUDES_<path> has the include folders of a source,
# OPTIONS_<flavour>_<path> its options; without one, the nearest folder above counts. <flavour>/<backend> is a flavour,
# too: libvmo's core is compiled once for each backend and finds its be_types.h by the include path
# (docs/adr/0011-types-by-folder.md).
FLAVOURS := kernel target host pic san tsan ana cov arm
BACKED := san/fake san/neuron tsan/fake host/fake ana/fake cov/fake
CC_kernel = $(CROSS)gcc $(KERNEL_CFLAGS)
CC_target = $(CROSS)gcc $(TARGET_CFLAGS)
CC_host = $(HOSTCC) $(HOST_CFLAGS)
CC_pic = $(HOSTCC) $(HOST_CFLAGS) -fPIC
CC_san = $(HOSTCC) $(SAN_CFLAGS)
CC_tsan = $(HOSTCC) $(TSAN_CFLAGS)
CC_arm = $(ARMCC) $(WARN) -O2 -static
CC_ana = $(HOSTCC) $(ANALYZE_CFLAGS)
CC_cov = $(HOSTCC) $(COVERAGE_CFLAGS)
$(foreach flavour,$(BACKED),$(eval CC_$(flavour) = $$(CC_$(firstword $(subst /, ,$(flavour))))))
backend = libvmo/backend/$(if $(filter target,$(1)),neuron,$(or $(word 2,$(subst /, ,$(1))),linux))

nearest = $(if $(filter undefined,$(origin $(1)_$(2))),$(if $(findstring /,$(2)),$(call \
          nearest,$(1),$(patsubst %/,%,$(dir $(2))))),$($(1)_$(2)))
options = $(call nearest,INCLUDES,$(2)) $(if $(filter libvmo/%,$(2)),-I$(call backend,$(1))) $(call nearest,OPTIONS_$(1),$(2))

# $(BUILD)/flags changes with flags and compilers, $(BUILD)/parts with the lists of what is linked (a source is removed,
# for instance). Objects depend on the first, linked files on both.
FLAGS_FILE := $(BUILD)/flags
PARTS_FILE := $(BUILD)/parts

define OBJECT_RULES
$(BUILD)/$(1)/%.o: %.c $(FLAGS_FILE)
	@mkdir -p $$(@D)
	$$(call Q,CC)$$(CC_$(1)) $$(call options,$(1),$$*) $$(DEPS) $$(CFLAGS) -c -o $$@ $$<
$(BUILD)/$(1)/%.o: %.S $(FLAGS_FILE)
	@mkdir -p $$(@D)
	$$(call Q,AS)$$(CC_$(1)) $$(call options,$(1),$$*) $$(DEPS) -c -o $$@ $$<
endef
$(foreach flavour,$(FLAVOURS) $(BACKED),$(eval $(call OBJECT_RULES,$(flavour))))

# Objects of a flavour, from their sources.
objects = $(addprefix $(BUILD)/$(1)/,$(addsuffix .o,$(basename $(2))))

# ---- How objects are linked: into another name, then renamed, so that nobody reads half a file ---------------
# An archive of an object list: $(call ARCHIVE,file,objects,ar). Made from scratch, so it has no object that left the list.
define ARCHIVE
$(1): $(2) $(FLAGS_FILE) $(PARTS_FILE)
	$$(call Q,AR)rm -f $$@.new && $(3) rcs $$@.new $(2) && mv -f $$@.new $$@
endef

# A program of the host: $(call HOST_PROGRAM,flavour,path below the flavour's folder,sources,libraries).
define HOST_PROGRAM
$(BUILD)/$(1)/$(2): $(call objects,$(1),$(3)) $(FLAGS_FILE) $(PARTS_FILE)
	$$(call Q,LD)$$(CC_$(1)) $$(CFLAGS) $$(LDFLAGS) -o $$@.new $$(filter %.o,$$^) $(4) && mv -f $$@.new $$@
endef

# The link map, from which check-sizes.sh reads what the consumer takes from libvmo. Its name keeps it out of FLAGS_TEXT,
# since its value differs for each target.
LINK_MAP = -Wl,-Map,$(basename $@).map

# A program for NEURON: $(call PAYLOAD_PROGRAM,path below target,sources,libraries of ours). <name>.debug.elf is for gdb;
# the file that boots keeps its symbols (K-12) but no debug sections.
define PAYLOAD_PROGRAM
$(BUILD)/target/$(1): $(call objects,target,$(2)) $(3) linker/payload.ld $(FLAGS_FILE) $(PARTS_FILE)
	$$(call Q,LD)$$(PAYLOAD_LINK) $$(LINK_MAP) $(4) -o $$@.new $$(filter %.o,$$^) $(3) && \
	    $(CROSS)objcopy --strip-debug $$@.new $$@.boots && mv -f $$@.new $$(@:.elf=.debug.elf) && mv -f $$@.boots $$@
endef

# A source that embeds files (.incbin): $(call CARRIES,source without .S,files).
define CARRIES
$(BUILD)/target/$(1).o: $(2)
OPTIONS_target_$(1) := $(addprefix -Wa$(comma)-I,$(sort $(dir $(2))))
endef

# The include folders of each part; scripts/check-deps.py checks what it includes.
INCLUDES_abi := -Iabi
INCLUDES_boot := -Iabi -Iboot
INCLUDES_boot/tests := -Iabi -Iboot -Iboot/tests
INCLUDES_libvmo := -Iabi -Ilibvmo/include -Ilibvmo/src -Ilibvmo/stream
INCLUDES_libvmo/tests := $(INCLUDES_libvmo) -Ilibvmo/tests
INCLUDES_payloads := -Iabi -Ilibvmo/include -Ipayloads
INCLUDES_host-ref :=
INCLUDES_tests := -Iabi -Ilibvmo/include

include boot/boot.mk
include libvmo/libvmo.mk
include libvmo/tool/tool.mk
include libvmo/package.mk
include payloads/payloads.mk
include host-ref/host-ref.mk
include boot/tests/boot-tests.mk
include libvmo/tests/libvmo-tests.mk
include tests/tests.mk
include scripts/checks.mk

# ---- Changes of flags and lists --------------------------------------------------------------------
# Each text is written to its file when it differs; everything that depends on the file is then made again.
FLAGS_TEXT = $(foreach v,$(sort CROSS HOSTCC $(filter %CFLAGS %LDFLAGS INCLUDES_% OPTIONS_%,$(.VARIABLES))),$(v)=$($(v)))$(VERSIONS)
PARTS_TEXT = $(foreach v,$(sort $(filter %_OBJS %_SRCS %_TESTS,$(.VARIABLES))),$(v)=$($(v)))
ifneq ($(LOCKED),)
VERSIONS := $(shell for compiler in $(firstword $(CROSS)gcc) '$(HOSTCC)'; do $$compiler --version 2>&1 | head -n 1; done)
ifneq ($(strip $(file <$(FLAGS_FILE))),$(strip $(FLAGS_TEXT)))
$(FLAGS_FILE): FORCE
endif
ifneq ($(strip $(file <$(PARTS_FILE))),$(strip $(PARTS_TEXT)))
$(PARTS_FILE): FORCE
endif
$(FLAGS_FILE): ; @printf '%s\n' $(call quote,$(FLAGS_TEXT)) >$@
$(PARTS_FILE): ; @printf '%s\n' $(call quote,$(PARTS_TEXT)) >$@
.PHONY: FORCE
FORCE:

-include $(shell find $(wildcard $(FLAVOURS:%=$(BUILD)/%)) /dev/null -name '*.d')
endif

# ---- Goals ---------------------------------------------------------------------------------------
.PHONY: all run-qemu proof-elf debug test test-host test-fast lint clean help

everything: $(ALL)

all: built ## build everything: kernel, payloads, library, host tools
NEEDS_all := everything

# ABI and PAYLOAD only if the caller gave them: another kernel has its own revision, and may have a payload built in.
GIVEN = $(if $(filter-out file,$(origin $(1))),$(2))

NEEDS_run-qemu := everything
TOOLS_run-qemu := qemu
run-qemu: built ## build, boot and judge the proof with PAYLOAD on ABI, or on KERNEL
	@scripts/qemu-test.sh $(call GIVEN,PROOF,--proof $(PROOF)) $(call GIVEN,ABI,--abi $(call quote,$(ABI))) \
	    --mem $(call quote,$(MEM)) $(call GIVEN,PAYLOAD,--payload "$$PAYLOAD") $(if $(KERNEL),--kernel "$$KERNEL") $(if $(RUN),--run "$$RUN") \
	    $(if $(filter 1,$(V)),--verbose) $(if $(WITNESS),--witness "$$WITNESS")

NEEDS_proof-elf := everything
proof-elf: built ## prepare the proof's init ELF around PAYLOAD, for a kernel that has its init built in
	@scripts/proof-elf.sh --proof $(PROOF) $(call GIVEN,PAYLOAD,--payload "$$PAYLOAD") $(if $(OUT),--out "$$OUT")

NEEDS_debug := everything
TOOLS_debug := qemu
debug: built ## boot the proof with a gdb stub and say how to attach
	@scripts/debug.sh $(call quote,$(filter-out all,$(ABI))) $(call quote,$(MEM))

NEEDS_test = everything $(TEST_NEEDS) $(filter $(BUILD)/%,$(TEST_SUITES))
TOOLS_test := qemu cmocka packaging memcheck
test: built ## run all tests; the last line is `N passed, N failed`
	@$(PYTHON) scripts/run-tests.py $(TEST_SUITES)

NEEDS_test-host = $(NEEDS_test)
TOOLS_test-host := $(TOOLS_test)
test-host: built ## the tests of what HOSTCC compiles, for a second compiler
	@$(PYTHON) scripts/run-tests.py $(HOST_SUITES)

NEEDS_test-fast = everything $(filter $(BUILD)/%,$(FAST_SUITES) $(TEST_NEEDS))
TOOLS_test-fast := qemu cmocka
test-fast: built ## a minute of tests, for use while working; `make test` runs all
	@$(PYTHON) scripts/run-tests.py -j 2 $(FAST_SUITES)

NEEDS_lint := everything
TOOLS_lint := lint
lint: built ## dependency directions, SPDX lines, format and static analysis, at zero findings
	@$(PYTHON) scripts/check-deps.py $(BUILD)
	@$(PYTHON) scripts/check-graph.py $(BUILD) $(CROSS)gcc-nm
	@$(PYTHON) scripts/check-tree.py
	@$(PYTHON) scripts/check-abi.py
	@$(PYTHON) scripts/mutants.py --check
	@scripts/check-sizes.sh $(BUILD) $(CROSS)
	@scripts/lint.sh

# The lock stays, so that all makes wait for the same file.
clean: ## remove the build folder's content
	@[ ! -e $(BUILD) ] || [ -e $(BUILD)/.lock ] || [ -e $(BUILD)/flags ] || { echo "clean: $(BUILD) was not built by make" >&2; exit 2; }
	$(Q)[ ! -e $(BUILD) ] || flock $(BUILD)/.lock find $(BUILD) -xdev -mindepth 1 -not -path $(BUILD)/.lock -delete

help: ## this list
	@echo 'Goals:'
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sort -t: -k1,1 | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  %-16s %s\n", $$1, $$2}'
	@echo 'Variables:'
	@echo '  PROOF=$(PROOF)   what is proved: $(PROOFS) (docs/testing/index.md)'
	@echo '  PAYLOAD=$(PAYLOAD)   what is shared: a file up to 1 MiB, or gen:<seed>:<len> up to 4 MiB (stream: 64 MiB)'
	@echo '  ABI=$(ABI)   the ABI revision of the kernel: a1, a2 or all'
	@echo '  MEM=$(MEM)   memory of the guest'
	@echo '  KERNEL=   another kernel, for run-qemu; RUN= and OUT=: the folder of proof-elf (docs/neuron.md)'
	@echo '  INIT=   for boot: a program for NEURON (payloads/template)'
	@echo '  WITNESS=   1 watches the tasks from outside, 0 does not; default: another kernel'\''s (docs/testing/witness.md)'
	@echo '  QEMU_EXTRA=   more words for QEMU, for instance -m 265M or -icount 1'
	@echo '  SEEDS=$(SEEDS) SEED=$(SEED) OPS=$(OPS)   of soak and differ: how many programs, the first one, operations of each (empty: the ABI revision decides)'
	@echo '  LEAVE_OUT=   for differ: classes of operations (docs/testing/random.md)'
	@echo '  PART=$(PART) ONLY=   of mutants: the k-th of n parts; names'
	@echo '  V=$(V)   1 shows the commands and the whole serial log'
	@echo '  BUILD=$(BUILD) CROSS=$(CROSS) HOSTCC=$(HOSTCC) QEMU=$(QEMU) PYTHON=$(PYTHON)   folders and tools'
	@echo '  PROBE=   for test-abi: probe, probe2 or probe-hazards; PROBE_HAZARDS=1 adds the last (docs/testing/probe.md)'
endif
