# SPDX-License-Identifier: Apache-2.0
# libvmo and its proof. `make help` lists the goals and the variables.

# ---- Variables a caller may set ------------------------------------------------------------------
BUILD ?= build
CROSS ?= riscv64-unknown-elf-
HOSTCC ?= gcc
PYTHON ?= python3
QEMU ?= qemu-system-riscv64
PAYLOAD ?= LICENSE
ABI ?= a2
MEM ?= 320M
KERNEL ?=
RUN ?=
OUT ?=
QEMU_EXTRA ?=
V ?= 0

# ---- Flags ---------------------------------------------------------------------------------------
# Warnings are errors, and none is switched off wholesale. A caller's CFLAGS come last.
WARN := -std=c11 -Wall -Wextra -Werror -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
        -Wmissing-prototypes -Wold-style-definition -Wundef -Wvla -Wcast-align=strict -Wcast-qual -Wformat=2 \
        -Wpointer-arith -Wswitch-enum -Wunused-result -Wwrite-strings -Wimplicit-fallthrough
DEPS = -MMD -MP

# gcc 12 finds the lp64 multilib only under the 2.2 ISA spec, in which zicsr and zifencei are part of "i".
RISCV := -march=rv64imac -misa-spec=2.2 -mabi=lp64 -mcmodel=medany
PICOLIBC := --specs=picolibc.specs --picolibc-buildtype=release -DPICOLIBC_INTEGER_PRINTF_SCANF

# -flto: the way of a system call leads through files that are small on purpose.
KERNEL_CFLAGS := $(RISCV) $(PICOLIBC) $(WARN) -O2 -g -ffreestanding -fno-common -ffunction-sections -fdata-sections \
                 -fno-stack-protector -fno-asynchronous-unwind-tables -flto -Iabi -Iboot
TARGET_CFLAGS := $(RISCV) $(PICOLIBC) $(WARN) -O2 -g -fno-common -fno-asynchronous-unwind-tables \
                 -ffunction-sections -fdata-sections
HOST_CFLAGS := $(WARN) -O2 -g
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_CFLAGS := $(WARN) -O1 -g $(SAN)

Q := $(if $(filter 1,$(V)),,@)

# What all objects are made with. They depend on this file, which changes when the flags do: a build folder from before a
# change of flags would else go on living in half of the kernel.
FLAGS_FILE := $(BUILD)/flags
FLAGS_TEXT = $(CROSS) $(KERNEL_CFLAGS) $(TARGET_CFLAGS) $(HOSTCC) $(HOST_CFLAGS) $(SAN_CFLAGS) $(CFLAGS)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# ---- Parts ---------------------------------------------------------------------------------------
# Each part adds to these: ALL (what `make all` builds), TEST_SUITES (programs that print TAP).
ALL :=
TEST_SUITES :=

include boot/boot.mk
include libvmo/libvmo.mk
include payloads/payloads.mk
include host-ref/host-ref.mk
include tests/tests.mk

.PHONY: FORCE
FORCE:
$(FLAGS_FILE): FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS_TEXT))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(FLAGS_TEXT))' >$@

# ---- How an object is made: one rule a flavour, the tree's path below the flavour's folder -----------
$(BUILD)/kernel/%.o: %.c $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(KERNEL_CFLAGS) $(DEPS) $(CFLAGS) -c -o $@ $<
$(BUILD)/kernel/%.o: %.S $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(KERNEL_CFLAGS) $(DEPS) -c -o $@ $<
$(BUILD)/target/%.o: %.c $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(TARGET_CFLAGS) $(call includes,$*) $(DEPS) $(CFLAGS) -c -o $@ $<
$(BUILD)/target/%.o: %.S $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(TARGET_CFLAGS) $(call includes,$*) $(DEPS) -c -o $@ $<
$(BUILD)/host/%.o: %.c $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOST_CFLAGS) $(call includes,$*) $(DEPS) $(CFLAGS) -c -o $@ $<
$(BUILD)/san/%.o: %.c $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(SAN_CFLAGS) $(call includes,$*) $(DEPS) $(CFLAGS) -c -o $@ $<

# Which folders a part may include from; scripts/check-deps.py checks what it then does include. A part is a folder of
# the top level; its tests are a part of their own.
INCLUDES_abi := -Iabi
INCLUDES_boot := -Iabi -Iboot
INCLUDES_boot/tests := -Iabi -Iboot -Iboot/tests
INCLUDES_libvmo := -Iabi -Ilibvmo/include -Ilibvmo/src
INCLUDES_libvmo/tests := -Iabi -Ilibvmo/include -Ilibvmo/src -Ilibvmo/tests
INCLUDES_payloads := -Iabi -Ilibvmo/include -Ipayloads
INCLUDES_host-ref :=
INCLUDES_tests := -Iabi -Ilibvmo/include
part = $(if $(filter tests,$(word 2,$(subst /, ,$(1)))),$(firstword $(subst /, ,$(1)))/tests,$(firstword $(subst /, ,$(1))))
includes = $(INCLUDES_$(call part,$(1)))

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---- Goals ---------------------------------------------------------------------------------------
.PHONY: all locked-all run-qemu proof-elf debug test lint clean help

all: $(ALL) ## build everything: kernel, payloads, library, host tools

# Two of these at once do not meet: one builds, the other finds it built; each run has a folder of its own.
locked-all:
	@mkdir -p $(BUILD)
	@flock $(BUILD)/.run-elf.lock $(MAKE) --no-print-directory all

# What a recipe below passes on by environment, so that no shell reads it: a payload may have any name.
export BUILD PAYLOAD QEMU PYTHON HOSTCC KERNEL RUN OUT QEMU_EXTRA
# ABI and PAYLOAD as somebody gave them: a kernel that is not ours has its own age, and may have its payload built in.
GIVEN = $(if $(filter-out file,$(origin $(1))),$(2))

run-qemu: locked-all ## build, boot and judge the proof with PAYLOAD on ABI, or on KERNEL
	@scripts/qemu-test.sh $(call GIVEN,ABI,--abi $(ABI)) --mem $(MEM) $(call GIVEN,PAYLOAD,--payload "$$PAYLOAD") \
	    $(if $(KERNEL),--kernel "$$KERNEL") $(if $(RUN),--run "$$RUN") $(if $(filter 1,$(V)),--verbose)

proof-elf: locked-all ## prepare the proof's init ELF around PAYLOAD, for a kernel that has its init built in
	@scripts/proof-elf.sh --payload "$$PAYLOAD" $(if $(OUT),--out "$$OUT")

debug: locked-all ## boot the proof with a gdb stub and say how to attach
	@scripts/debug.sh $(filter-out all,$(ABI)) $(MEM)

test: locked-all $(TEST_SUITES) ## run all tests; the last line is `N passed, N failed`
	@$(PYTHON) scripts/run-tests.py $(TEST_SUITES)

lint: locked-all ## dependency directions, SPDX lines, format and static analysis, at zero findings
	@$(PYTHON) scripts/check-deps.py $(BUILD)
	@$(PYTHON) scripts/check-graph.py $(BUILD) $(CROSS)gcc-nm
	@$(PYTHON) scripts/check-tree.py
	@$(PYTHON) scripts/check-abi.py
	@scripts/check-sizes.sh $(BUILD) $(CROSS)
	@scripts/lint.sh

clean: ## remove the build folder
	rm -rf $(BUILD)

help: ## this list
	@echo 'Goals:'
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sort | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  %-16s %s\n", $$1, $$2}'
	@echo 'Variables:'
	@echo '  PAYLOAD=$(PAYLOAD)   what is shared: a file up to 1 MiB, or gen:<seed>:<len> up to 4 MiB'
	@echo '  ABI=$(ABI)   the age of the kernel: a1, a2 or all'
	@echo '  MEM=$(MEM)   memory of the guest'
	@echo '  KERNEL=   another kernel, for run-qemu; RUN= and OUT=: the folder of proof-elf (docs/neuron.md)'
	@echo '  QEMU_EXTRA=   more words for QEMU, for instance -m 265M or -icount 1'
	@echo '  SEEDS=$(SEEDS) SEED=$(SEED) OPS=$(OPS)   of soak: how many programs, the first one, operations of each (empty: the age decides)'
	@echo '  V=$(V)   1 shows the commands and the whole serial log'
	@echo '  BUILD=$(BUILD) CROSS=$(CROSS) HOSTCC=$(HOSTCC) QEMU=$(QEMU) PYTHON=$(PYTHON)   folders and tools'
	@echo '  PROBE=   for test-abi: probe, probe2 or probe-hazards; PROBE_HAZARDS=1 adds the last (docs/testing/probe.md)'
