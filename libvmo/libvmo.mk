# SPDX-License-Identifier: Apache-2.0
# The library: for the target with the NEURON backend, for the host with the Linux one.

LIBVMO_CORE_SRCS := $(sort $(wildcard libvmo/src/*.c libvmo/stream/*.c))
# NEURON does not tell objects apart, and so needs no held.c.
LIBVMO_NEURON_SRCS := $(filter-out libvmo/src/held.c,$(LIBVMO_CORE_SRCS)) $(sort $(wildcard libvmo/backend/neuron/*.c libvmo/backend/neuron/*.S)) abi/abi_check.c
LIBVMO_HOSTED_SRCS := $(LIBVMO_CORE_SRCS) $(sort $(wildcard libvmo/hosted/*.c))
LIBVMO_LINUX_SRCS := $(LIBVMO_HOSTED_SRCS) $(sort $(wildcard libvmo/backend/linux/*.c))
LIBVMO_FAKE_SRCS := $(LIBVMO_HOSTED_SRCS) $(sort $(wildcard libvmo/backend/fake/*.c))

LIBVMO := $(BUILD)/target/libvmo.a
LIBVMO_HOST := $(BUILD)/host/libvmo.a
ALL += $(LIBVMO) $(LIBVMO_HOST)
$(eval $(call ARCHIVE,$(LIBVMO),$(call objects,target,$(LIBVMO_NEURON_SRCS)),$(CROSS)ar))
$(eval $(call ARCHIVE,$(LIBVMO_HOST),$(call objects,host,$(LIBVMO_LINUX_SRCS)),ar))

# Optimised for size, except the blocks of SHA-256. SHA256_ISA=zbb, zknh or zbb_zknh compiles these for harts that have
# the extension; others trap. gcc would carry the schedule's words from turn to turn in registers, with more moves than
# it saves loads.
OPTIONS_target_libvmo/src := -Os -msave-restore
OPTIONS_target_libvmo/src/sha256_portable := -fno-predictive-commoning $(addprefix -march=rv64imac_,$(SHA256_ISA))
OPTIONS_target_libvmo/stream := -Os -msave-restore
# Each frame runs through these: shared code to save registers would cost a fifth more instructions.
OPTIONS_target_libvmo/stream/stream_find := -Os
OPTIONS_target_libvmo/stream/stream_loan := -Os
OPTIONS_target_libvmo/stream/stream_take := -O2
OPTIONS_target_libvmo/backend := -Os -msave-restore
OPTIONS_target_abi := -Os -msave-restore
# gcc's ThreadSanitizer does not know the one fence of the streams, which orders plain stores after an expel.
OPTIONS_tsan_libvmo/stream/stream_seats := $(if $(LOCKED),$(call known,$(HOSTCC),-Wno-tsan))
