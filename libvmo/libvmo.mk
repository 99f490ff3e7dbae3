# SPDX-License-Identifier: Apache-2.0
# The library: for the target with the NEURON backend, for the host with the Linux one.

LIBVMO := $(BUILD)/target/libvmo.a
LIBVMO_CORE_SRCS := $(sort $(wildcard libvmo/src/*.c))
LIBVMO_SRCS := $(LIBVMO_CORE_SRCS) $(sort $(wildcard libvmo/backend/neuron/*.c libvmo/backend/neuron/*.S)) abi/abi_check.c
LIBVMO_OBJS := $(addprefix $(BUILD)/target/,$(addsuffix .o,$(basename $(LIBVMO_SRCS))))
ALL += $(LIBVMO)

$(LIBVMO): $(LIBVMO_OBJS)
	$(Q)rm -f $@
	$(Q)$(CROSS)ar rcs $@ $(LIBVMO_OBJS)

# Size before speed, but for the one part that walks over every byte.
$(filter-out %/sha256.o,$(LIBVMO_OBJS)): TARGET_CFLAGS += -Os -msave-restore

LIBVMO_HOST := $(BUILD)/host/libvmo.a
LIBVMO_LINUX_SRCS := $(sort $(wildcard libvmo/backend/linux/*.c))
LIBVMO_HOST_OBJS := $(patsubst %.c,$(BUILD)/host/%.o,$(LIBVMO_CORE_SRCS) $(LIBVMO_LINUX_SRCS))
ALL += $(LIBVMO_HOST)

$(LIBVMO_HOST): $(LIBVMO_HOST_OBJS)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $(LIBVMO_HOST_OBJS)

include libvmo/package.mk
