# SPDX-License-Identifier: Apache-2.0
# The library: for the target with the NEURON backend, for the host with the Linux one.

# ---- The backend's types (docs/adr/0011-types-by-folder.md) ----------------------------------------
# The core is compiled once for each backend, whose be_types.h it finds by include path: below $(BUILD)/<flavour> for
# NEURON (target) and Linux (the host's flavours), below $(BUILD)/<flavour>/<backend> for another one on the host.
$(BUILD)/target/libvmo/%.o: INCLUDES_libvmo += -Ilibvmo/backend/neuron
$(foreach flavour,host pic san ana,$(BUILD)/$(flavour)/libvmo/%.o): INCLUDES_libvmo += -Ilibvmo/backend/linux

# $(1): flavour, $(2): the variable with its flags, $(3): backend. scripts/analyze.mk calls it for its own flavours.
define BACKEND_FLAVOUR
$$(BUILD)/$(1)/$(3)/libvmo/%.o: INCLUDES_libvmo += -Ilibvmo/backend/$(3)
$$(BUILD)/$(1)/$(3)/%.o: %.c $$(FLAGS_FILE)
	@mkdir -p $$(@D)
	$$(Q)$$(HOSTCC) $$($(2)) $$(call includes,$$*) $$(DEPS) $$(CFLAGS) -c -o $$@ $$<
endef
$(eval $(call BACKEND_FLAVOUR,san,SAN_CFLAGS,fake))
$(eval $(call BACKEND_FLAVOUR,san,SAN_CFLAGS,neuron))
$(eval $(call BACKEND_FLAVOUR,host,HOST_CFLAGS,fake))

# The core with the fake, as the tests of the core link it; other flavours replace the first `san`.
LIBVMO_FAKE_OBJS := $(patsubst %.c,$(BUILD)/san/fake/%.o,$(sort $(wildcard libvmo/src/*.c libvmo/backend/fake/*.c)))

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
