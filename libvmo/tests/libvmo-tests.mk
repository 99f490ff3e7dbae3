# SPDX-License-Identifier: Apache-2.0
# Tests of the library: its core on the fake backend, the backends, the conformance suite of all backends, and the
# installed library. Tests on the host run under ASan and UBSan.

# ---- unit: the core on the fake backend; without the sanitizers for `make coverage` and `make memcheck`
UNIT_TESTS := test_bytes test_channel test_create test_dup test_handles test_inject test_many test_many_lies test_mapping_index test_peer test_registry \
              test_require test_seals test_sha256 test_status test_stream test_stream_ends test_stream_lies test_stream_model test_stream_moment test_transfer \
              test_views test_wire test_wrap
UNIT_LIBS_test_sha256 := -lcrypto
$(foreach flavour,san cov host,$(foreach test,$(UNIT_TESTS),$(eval $(call HOST_PROGRAM,$(flavour)/fake,libvmo/tests/unit/$(test),\
    $(addprefix libvmo/tests/unit/,$(test).c unit.c) $(LIBVMO_FAKE_SRCS),-lcmocka $(UNIT_LIBS_$(test))))))
TEST_SUITES += $(UNIT_TESTS:%=$(BUILD)/san/fake/libvmo/tests/unit/%)

# Streams in threads, under ThreadSanitizer.
STREAM_THREADS := libvmo/tests/unit/test_stream_threads
$(eval $(call HOST_PROGRAM,tsan/fake,$(STREAM_THREADS),$(STREAM_THREADS).c libvmo/tests/unit/unit.c $(LIBVMO_FAKE_SRCS),-lcmocka -pthread))
TEST_SUITES += $(BUILD)/tsan/fake/$(STREAM_THREADS)

# ---- growth: instructions of each call with many live objects, on the fake backend and on Linux, by callgrind
GROWTH := libvmo/tests/growth
$(eval $(call HOST_PROGRAM,host/fake,$(GROWTH)/growth_fake,$(addprefix $(GROWTH)/,growth.c growth_fake.c) $(LIBVMO_FAKE_SRCS)))
$(eval $(call HOST_PROGRAM,host,$(GROWTH)/growth_linux,$(addprefix $(GROWTH)/,growth.c growth_linux.c) $(LIBVMO_LINUX_SRCS)))
TEST_NEEDS += $(BUILD)/host/fake/$(GROWTH)/growth_fake $(BUILD)/host/$(GROWTH)/growth_linux
TEST_SUITES += $(GROWTH)/test_growth.py

# ---- bench: exchanges of messages by libvmo and by hand; times and instructions, and a test of the system calls
BENCH := libvmo/tests/bench
BENCH_SRCS := $(addprefix $(BENCH)/,bench_work.c bench_hand.c bench_vmo.c) $(LIBVMO_LINUX_SRCS)
$(eval $(call HOST_PROGRAM,host,$(BENCH)/bench_host,$(BENCH)/bench_host.c $(BENCH_SRCS)))
$(eval $(call HOST_PROGRAM,host,$(BENCH)/bench_wait,$(BENCH)/bench_wait.c $(BENCH)/bench_work.c $(LIBVMO_LINUX_SRCS)))

# Frames: streams beside a ring by hand and the kernel's copies, and beside each library whose headers are installed.
FRAMES := $(BENCH)/bench_frames.c $(BENCH)/bench_work.c
IOX := $(firstword $(wildcard /usr/include/iceoryx/v*) /usr/include/iceoryx)
OPTIONS_host_$(BENCH)/frames_iceoryx = -isystem $(IOX)
FRAMES_LIBS_iceoryx := -liceoryx_binding_c
FRAMES_LIBS_zmq := -lzmq
FRAMES_LIBS_nng := -lnng
has_header = $(shell printf '\043include <%s>\n' $(1) | $(HOSTCC) -isystem $(IOX) -fsyntax-only -x c - 2>/dev/null && echo yes)
FRAMES_PEERS := $(if $(filter bench-host,$(GOALS)),$(if $(call has_header,iceoryx_binding_c/runtime.h),iceoryx) \
                $(if $(call has_header,zmq.h),zmq) $(if $(call has_header,nng/nng.h),nng))
FRAMES_PROGRAMS := $(addprefix $(BUILD)/host/$(BENCH)/,bench_frames $(addprefix frames_,$(FRAMES_PEERS)))
$(eval $(call HOST_PROGRAM,host,$(BENCH)/bench_frames,$(FRAMES) $(addprefix $(BENCH)/,frames_hand.c frames_vmo.c) $(LIBVMO_LINUX_SRCS)))
$(foreach peer,iceoryx zmq nng,$(eval $(call HOST_PROGRAM,host,$(BENCH)/frames_$(peer),$(FRAMES) $(BENCH)/frames_$(peer).c,$(FRAMES_LIBS_$(peer)))))

TEST_SUITES += $(BENCH)/test_bench_again.py
.PHONY: bench-host
NEEDS_bench-host := $(BUILD)/host/$(BENCH)/bench_host $(BUILD)/host/$(BENCH)/bench_wait $(FRAMES_PROGRAMS)
TOOLS_bench-host := memcheck
bench-host: built ## time libvmo on Linux beside the same by hand; and beside iceoryx, ZeroMQ and nng, as far as installed
	$(Q)$(PYTHON) -B $(BENCH)/bench_host.py $(BYTES)
	$(Q)$(PYTHON) -B $(BENCH)/bench_frames.py $(FRAMES_PROGRAMS)

# vmo send and vmo recv beside the same hand-over by hand.
$(eval $(call HOST_PROGRAM,host,$(BENCH)/hand_over,$(BENCH)/hand_over.c,-lcrypto))
.PHONY: bench-tool
NEEDS_bench-tool := $(BUILD)/host/$(BENCH)/hand_over $(TOOL)
TOOLS_bench-tool := openssl
bench-tool: built ## time vmo send and vmo recv beside the same hand-over by hand, with MIB of data (1024)
	$(Q)$(PYTHON) -B $(BENCH)/bench_tool.py $(or $(MIB),1024)

# ---- linux: the Linux backend without the core; and a fuzzed receiver
LX_TESTS := $(addprefix linux/,test_lx_environment test_lx_exhausted test_lx_object test_lx_seals test_lx_file \
            test_lx_channel test_lx_many test_lx_notices test_lx_again test_lx_import test_lx_huge \
            test_lx_keep test_lx_copy_far test_lx_name test_lx_poll \
            test_lx_refusals test_lx_sharing test_lx_reopen \
            test_lx_transfer test_lx_peer test_lx_spawn test_lx_child_end \
            test_lx_stream test_lx_stream_lies test_lx_stream_poll test_lx_stream_poll_far test_lx_stream_fork \
            test_lx_stream_sleep) fuzz/fuzz_lx_receive
LX_LIBS_linux/test_lx_import := -Wl,--wrap=fstatfs
LX_LIBS_linux/test_lx_child_end := -Wl,--wrap=recvmsg
LX_LIBS_linux/test_lx_object := -Wl,--wrap=fallocate
LX_LIBS_linux/test_lx_spawn := -Wl,--wrap=pipe2
LX_LIBS_linux/test_lx_stream_sleep := -Wl,--wrap=syscall
LX_LIBS_linux/test_lx_stream_poll := -Wl,--wrap=recv
LX_LIBS_linux/test_lx_stream_fork := -Wl,--wrap=madvise
$(foreach test,poll peer spawn child_end,$(eval LX_SRCS_linux/test_lx_$(test) := libvmo/tests/linux/lx_program.c))
INCLUDES_libvmo/tests/fuzz := $(INCLUDES_libvmo/tests) -Ilibvmo/tests/linux
$(foreach flavour,san cov,$(foreach test,$(LX_TESTS),$(eval $(call HOST_PROGRAM,$(flavour),libvmo/tests/$(test),\
    libvmo/tests/$(test).c libvmo/tests/linux/lx_test.c $(LX_SRCS_$(test)) $(LIBVMO_LINUX_SRCS),-lcmocka $(LX_LIBS_$(test))))))
# The program that the tests spawn from their own folder.
$(foreach flavour,san cov,$(eval $(call \
    HOST_PROGRAM,$(flavour),libvmo/tests/linux/lx_child,libvmo/tests/linux/lx_child.c $(LIBVMO_LINUX_SRCS))))
TEST_NEEDS += $(BUILD)/san/libvmo/tests/linux/lx_child
TEST_SUITES += $(LX_TESTS:%=$(BUILD)/san/libvmo/tests/%)

# 10^7 frames, without the sanitizers, each way.
$(eval $(call HOST_PROGRAM,host,libvmo/tests/linux/test_lx_stream,$(addprefix libvmo/tests/linux/,test_lx_stream.c lx_test.c) $(LIBVMO_LINUX_SRCS),-lcmocka))
STRESS := $(BUILD)/host/libvmo/tests/linux/test_lx_stream
STREAM_FRAMES ?= 10000000
.PHONY: stress
NEEDS_stress := $(STRESS)
TOOLS_stress := cmocka
stress: built ## send 10^7 frames to two processes, each way, and check what they read
	@STREAM_FRAMES=$(STREAM_FRAMES) $(PYTHON) scripts/run-tests.py --name stress --timeout 7200 $(STRESS)

# Every SHA-256 of the backend; also built for ARMv8 (`make check-armv8`).
LX_SHA256 := libvmo/tests/linux/test_lx_sha256
LX_SHA256_SRCS := $(LX_SHA256).c $(addprefix libvmo/,src/sha256.c src/sha256_portable.c \
                  $(addprefix backend/linux/,lx_sha256.c lx_sha256_x86.c lx_sha256_arm.c))
$(foreach flavour,san cov arm,$(eval $(call HOST_PROGRAM,$(flavour),$(LX_SHA256),$(LX_SHA256_SRCS))))
TEST_SUITES += $(BUILD)/san/$(LX_SHA256)

$(eval $(call HOST_PROGRAM,host,libvmo/tests/bench/bench_sha256,libvmo/tests/bench/bench_sha256.c \
    $(filter-out $(LX_SHA256).c,$(LX_SHA256_SRCS)),-lcrypto))
.PHONY: bench-sha256
NEEDS_bench-sha256 := $(BUILD)/host/libvmo/tests/bench/bench_sha256
TOOLS_bench-sha256 := openssl
$(eval $(call HOST_PROGRAM,host,libvmo/tests/bench/bench_bytes,libvmo/tests/bench/bench_bytes.c $(LIBVMO_LINUX_SRCS),-pthread))
.PHONY: bench-bytes
NEEDS_bench-bytes := $(BUILD)/host/libvmo/tests/bench/bench_bytes
bench-bytes: built ## time the ways to fill and to copy a VMO, and copies for a near and a far reader
	$(Q)$(PYTHON) -B $(BENCH)/bench_again.py bytes

bench-sha256: built ## compare the speed of the library's SHA-256 with OpenSSL's
	$(Q)$(PYTHON) -B $(BENCH)/bench_again.py sha256

# ---- sha256_isa: the target's SHA-256 as SHA256_ISA compiles it, on bare harts with and without Zbb and Zknh
SHA_ISA := libvmo/tests/sha256_isa
SHA_ISA_SRCS := $(addprefix $(SHA_ISA)/,hart_start.S hart_sha256.c) libvmo/src/sha256.c libvmo/backend/neuron/nx_sha256.c
SHA_ISA_PORTABLE := libvmo/src/sha256_portable
SHA_ISA_MEMORY := -Wl,--defsym=__flash=0x80000000,--defsym=__flash_size=1M,--defsym=__ram=0x80100000,--defsym=__ram_size=1M
define SHA_ISA_PROGRAM
$(BUILD)/target/$(SHA_ISA)/portable-$(1).o: $(SHA_ISA_PORTABLE).c $(FLAGS_FILE)
	@mkdir -p $$(@D)
	$$(call Q,CC)$$(CC_target) $$(filter-out -march=%,$$(call options,target,$(SHA_ISA_PORTABLE))) $(2) $$(DEPS) $$(CFLAGS) -c -o $$@ $$<
$(BUILD)/target/$(SHA_ISA)/hart_sha256-$(1).elf: $(call objects,target,$(SHA_ISA_SRCS)) \
        $(BUILD)/target/$(SHA_ISA)/portable-$(1).o $(FLAGS_FILE) $(PARTS_FILE)
	$$(call Q,LD)$$(CC_target) $$(CFLAGS) -nostartfiles $(SHA_ISA_MEMORY) -o $$@.new $$(filter %.o,$$^) && mv -f $$@.new $$@
TEST_NEEDS += $(BUILD)/target/$(SHA_ISA)/hart_sha256-$(1).elf
endef
$(eval $(call SHA_ISA_PROGRAM,plain))
$(foreach isa,zbb zknh zbb_zknh,$(eval $(call SHA_ISA_PROGRAM,$(isa),-march=rv64imac_$(isa))))
TEST_SUITES += $(SHA_ISA)/test_sha256_isa.py

# ---- linux/errno: the Linux backend with its system calls wrapped, each failed with each error
LX_ERRNO := libvmo/tests/linux/errno
LX_ERRNO_SRCS := $(addprefix $(LX_ERRNO)/,test_errno.c errno_stories.c errno_vmo.c errno_message.c errno_child.c \
                 errno_descriptor.c errno_stream.c lx_step.c lx_wrap.c) $(LIBVMO_LINUX_SRCS)
# One --wrap for each row of the table. All commands of fcntl share one wrapper, as do all numbers of syscall.
LX_WRAPPED := $(shell sed -nE 's/^CALL.([a-z_0-9]+),.*/\1/p' $(LX_ERRNO)/errnos.def) fcntl syscall _exit
# clang links its sanitizers statically, so they call the wrappers before they are initialised.
OPTIONS_san_$(LX_ERRNO)/lx_wrap := -fno-sanitize=all
LX_ERRNO_LIBS_cov := -Wl,-u,__gcov_dump -Wl,-u,__gcov_reset
# With --coverage, gcc replaces fork, and then counts no coverage.
OPTIONS_cov_libvmo/backend/linux := -fno-builtin-fork
$(foreach flavour,san cov,$(eval $(call HOST_PROGRAM,$(flavour),$(LX_ERRNO)/test_errno,$(LX_ERRNO_SRCS),\
    $(LX_WRAPPED:%=-Wl$(comma)--wrap=%) $(LX_ERRNO_LIBS_$(flavour)))))

ERRNO_SUITES := $(BUILD)/san/$(LX_ERRNO)/test_errno $(LX_ERRNO)/test_wrapped.py
TEST_SUITES += $(ERRNO_SUITES)

.PHONY: test-errno errno-full
NEEDS_test-errno := everything $(BUILD)/san/$(LX_ERRNO)/test_errno
test-errno: built ## fail each system call of the Linux backend with each of its errors, once for each site
	@$(PYTHON) scripts/run-tests.py $(ERRNO_SUITES)
NEEDS_errno-full := $(NEEDS_test-errno)
errno-full: built ## the same for every call of every story
	@$(PYTHON) scripts/run-tests.py -v --name errno-full --words full --timeout 7200 $(BUILD)/san/$(LX_ERRNO)/test_errno

# ---- bench, again: the system calls of a message, counted by the same wrappers
$(eval $(call HOST_PROGRAM,san,$(BENCH)/test_calls,$(BENCH)/test_calls.c $(BENCH_SRCS) $(LX_ERRNO)/lx_wrap.c,\
    $(LX_WRAPPED:%=-Wl$(comma)--wrap=%)))
TEST_SUITES += $(BUILD)/san/$(BENCH)/test_calls

# ---- linux/machine: machines that lack a resource. Without the sanitizers, which need address space and /proc.
LX_MACHINE := libvmo/tests/linux/machine/test_machine
$(foreach flavour,host cov,$(eval $(call HOST_PROGRAM,$(flavour),$(LX_MACHINE),$(LX_MACHINE).c $(LIBVMO_LINUX_SRCS))))
TEST_SUITES += $(BUILD)/host/$(LX_MACHINE)

# ---- neuron: the NEURON backend over a stub kernel
NX_TESTS := test_nx_in_flight test_nx_kept test_nx_refusals test_nx_budget test_nx_fillers test_nx_without
NX_BACKEND := $(filter %.c,$(LIBVMO_NEURON_SRCS))
NX_SRCS_test_nx_in_flight := $(NX_BACKEND)
NX_SRCS_test_nx_kept := libvmo/backend/neuron/nx_kept.c
$(foreach test,refusals budget fillers without,$(eval NX_SRCS_test_nx_$(test) := $(addprefix libvmo/tests/neuron/,nx_stub.c nx_stub_maps.c) $(NX_BACKEND)))
$(foreach test,$(NX_TESTS),$(eval $(call HOST_PROGRAM,san/neuron,libvmo/tests/neuron/$(test),\
    libvmo/tests/neuron/$(test).c $(NX_SRCS_$(test)),-lcmocka)))
TEST_SUITES += $(NX_TESTS:%=$(BUILD)/san/neuron/libvmo/tests/neuron/%) libvmo/tests/neuron/test_nx_ecall.py

# ---- conformance: one suite, with a port for each platform
CONF_GROUPS := life handles bytes views slices dup wrap descriptors seals messages channel transfer claims many ends ends-with-vmos \
               stream stream-sizes fill rounds full-slots full-maps full-memory
CONF := libvmo/tests/conformance
CONF_SRCS := $(filter-out $(CONF)/conf_peer_main.c,$(sort $(wildcard $(CONF)/*.c)))
# On the host: the fake kernel, and Linux.
$(foreach flavour,san cov host,$(eval $(call HOST_PROGRAM,$(flavour)/fake,$(CONF)/conf_fake,\
    $(CONF_SRCS) $(CONF)/fake/conf_fake.c $(LIBVMO_FAKE_SRCS))))
$(foreach flavour,san cov host,$(eval $(call HOST_PROGRAM,$(flavour),$(CONF)/conf_linux,\
    $(CONF_SRCS) $(addprefix $(CONF)/,linux/conf_linux.c linux/conf_linux_common.c conf_peer_main.c) $(LIBVMO_LINUX_SRCS))))
# On NEURON: init, which embeds the peer. One program has all groups, and one each has a single group.
CONF_DIR := $(BUILD)/target/$(CONF)
CONF_PEER_SRCS := $(addprefix $(CONF)/,conf_peer.c conf_peer_fill.c conf_peer_stream.c conf_peer_main.c neuron/conf_neuron.c neuron/conf_neuron_peer.c) $(CRT_SRCS)
CONF_NEURON_SRCS := $(CONF_SRCS) $(addprefix $(CONF)/neuron/,conf_neuron.c conf_neuron_main.c conf_peer_elf.S) $(CRT_SRCS)
CONF_ELFS := $(CONF_DIR)/suite.elf $(CONF_GROUPS:%=$(CONF_DIR)/suite-%.elf)
$(eval $(call PAYLOAD_PROGRAM,$(CONF)/conf_peer.elf,$(CONF_PEER_SRCS),$(LIBVMO)))
$(eval $(call CARRIES,$(CONF)/neuron/conf_peer_elf,$(CONF_DIR)/conf_peer.elf))
$(eval $(call PAYLOAD_PROGRAM,$(CONF)/suite.elf,$(CONF)/neuron/conf_only.c $(CONF_NEURON_SRCS),$(LIBVMO)))
$(foreach group,$(CONF_GROUPS),$(eval $(call \
    PAYLOAD_PROGRAM,$(CONF)/suite-$(group).elf,$(CONF)/only-$(group).c $(CONF_NEURON_SRCS),$(LIBVMO))))
$(CONF_GROUPS:%=$(CONF_DIR)/only-%.o): $(CONF_DIR)/only-%.o: $(CONF)/neuron/conf_only.c $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(call Q,CC)$(CC_target) $(call options,target,$(CONF)/neuron/conf_only) $(DEPS) -DCONF_ONLY='"$*"' -c -o $@ $<

# Twice in one program, in two threads, under ThreadSanitizer. Each copy of the suite is one object, whose only global
# symbol is its entry.
define CONF_COPY
$(BUILD)/$(1)/$(CONF)/threads/suite_$(2).o: $(call objects,$(1),$(3)) $(FLAGS_FILE) $(PARTS_FILE)
	$$(call Q,LD)$$(CC_$(1)) $$(CFLAGS) -fno-sanitize=thread -r -nostdlib -o $$@.new $$(filter %.o,$$^) && \
	    objcopy --redefine-sym conf_threads_suite=conf_threads_suite_$(2) --keep-global-symbol=conf_threads_suite_$(2) \
	    $$@.new && mv -f $$@.new $$@
endef
CONF_THREADS_SRCS := $(CONF_SRCS) $(CONF)/threads/conf_threads_suite.c
CONF_THREADS_fake_SRCS := $(CONF_THREADS_SRCS) $(CONF)/fake/conf_fake.c
CONF_THREADS_linux_SRCS := $(CONF_THREADS_SRCS) $(addprefix $(CONF)/,threads/conf_threads_linux.c linux/conf_linux_common.c conf_peer_main.c)
$(foreach copy,1 2,$(eval $(call CONF_COPY,tsan/fake,$(copy),$(CONF_THREADS_fake_SRCS))))
$(foreach copy,1 2,$(eval $(call CONF_COPY,tsan,$(copy),$(CONF_THREADS_linux_SRCS))))
define CONF_THREADS
$(BUILD)/$(1)/$(CONF)/threads/conf_threads: $(call objects,$(1),$(CONF)/threads/conf_threads_main.c $(2)) \
        $(BUILD)/$(1)/$(CONF)/threads/suite_1.o $(BUILD)/$(1)/$(CONF)/threads/suite_2.o $(FLAGS_FILE) $(PARTS_FILE)
	$$(call Q,LD)$$(CC_$(1)) $$(CFLAGS) $$(LDFLAGS) -o $$@.new $$(filter %.o,$$^) -pthread && mv -f $$@.new $$@
endef
$(eval $(call CONF_THREADS,tsan/fake,$(LIBVMO_FAKE_SRCS)))
$(eval $(call CONF_THREADS,tsan,$(LIBVMO_LINUX_SRCS)))
CONF_THREADS_PROGRAMS := $(BUILD)/tsan/fake/$(CONF)/threads/conf_threads $(BUILD)/tsan/$(CONF)/threads/conf_threads

ALL += $(CONF_ELFS)
TEST_NEEDS += $(BUILD)/san/fake/$(CONF)/conf_fake $(BUILD)/san/$(CONF)/conf_linux $(CONF_THREADS_PROGRAMS)
TEST_SUITES += $(CONF)/test_conformance.py $(CONF)/threads/test_threads.py

# ---- hostile: streams under QEMU beside a task that lies, stops or dies
HOSTILE := libvmo/tests/hostile
INCLUDES_libvmo/tests/hostile := $(INCLUDES_libvmo/tests) -Ipayloads
$(eval $(call PAYLOAD_PROGRAM,$(HOSTILE)/hostile_peer.elf,$(HOSTILE)/hostile_peer.c $(CRT_SRCS),$(LIBVMO)))
$(eval $(call CARRIES,$(HOSTILE)/hostile_peer_elf,$(BUILD)/target/$(HOSTILE)/hostile_peer.elf))
$(eval $(call PAYLOAD_PROGRAM,$(HOSTILE)/hostile.elf,$(addprefix $(HOSTILE)/,hostile_main.c hostile_peer_elf.S) $(CRT_SRCS),$(LIBVMO)))
ALL += $(BUILD)/target/$(HOSTILE)/hostile.elf
TEST_SUITES += $(HOSTILE)/test_hostile_guest.py

# ---- tool: vmo(1) under ASan, on terminals and off
TOOL_SUITES := $(addprefix libvmo/tests/tool/test_tool_,sum.py handover.py commands.py terminal.py)
TOOL_FORGE := $(BUILD)/san/libvmo/tests/tool/forge
$(eval $(call HOST_PROGRAM,san,libvmo/tests/tool/forge,libvmo/tests/tool/forge.c $(LIBVMO_LINUX_SRCS)))
INCLUDES_libvmo/tests/tool := -Ilibvmo/include -Ilibvmo -Ilibvmo/tool
TEST_NEEDS += $(BUILD)/san/libvmo/tool/vmo $(TOOL_FORGE)
TEST_SUITES += $(TOOL_SUITES)

.PHONY: test-tool
NEEDS_test-tool := $(BUILD)/san/libvmo/tool/vmo $(TOOL_FORGE)
test-tool: built ## test only vmo(1)
	@$(PYTHON) scripts/run-tests.py $(TOOL_SUITES)

# ---- packaging: installs the library, checks it, builds programs against it and uninstalls it
PACKAGING_SUITE := libvmo/tests/packaging/test_packaging.py
TEST_SUITES += $(PACKAGING_SUITE)

.PHONY: test-packaging
TOOLS_test-packaging := packaging
test-packaging: built ## test only the installed library, its manual and its examples
	$(Q)$(PYTHON) -B $(PACKAGING_SUITE)
