# SPDX-License-Identifier: Apache-2.0
# The library: for the target with the NEURON backend, and its parts for host tests.

LIBVMO := $(BUILD)/target/libvmo.a
LIBVMO_CORE_SRCS := $(sort $(wildcard libvmo/src/*.c))
LIBVMO_SRCS := $(LIBVMO_CORE_SRCS) $(sort $(wildcard libvmo/backend/neuron/*.c libvmo/backend/neuron/*.S)) libvmo/abi/abi_check.c
LIBVMO_OBJS := $(addprefix $(BUILD)/target/,$(addsuffix .o,$(basename $(LIBVMO_SRCS))))
ALL += $(LIBVMO)

$(LIBVMO): $(LIBVMO_OBJS)
	$(Q)rm -f $@
	$(Q)$(CROSS)ar rcs $@ $(LIBVMO_OBJS)

# Size before speed, but for the one part that walks over every byte.
$(filter-out %/sha256.o,$(LIBVMO_OBJS)): TARGET_CFLAGS += -Os -msave-restore
