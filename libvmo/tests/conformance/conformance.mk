# SPDX-License-Identifier: Apache-2.0
# The conformance suite, written once: libvmo/tests/conformance/*.c on each platform's port.

CONF_GROUPS := life handles bytes views slices dup wrap seals messages channel transfer claims ends ends-with-vmos \
               rounds full-slots full-maps full-memory
CONF_SRCS := $(filter-out %/conf_peer_main.c,$(sort $(wildcard libvmo/tests/conformance/*.c)))

# ---- On the host, under ASan and UBSan: the fake kernel, and Linux ------------------------------------------
CONF_HOST := $(BUILD)/san/libvmo/tests/conformance
# conf_raw.c goes below the public API, and so it is compiled with each backend's types.
CONF_CASE_OBJS := $(filter-out %/conf_raw.o,$(patsubst %.c,$(BUILD)/san/%.o,$(CONF_SRCS)))
CONF_FAKE := $(CONF_HOST)/conf_fake
CONF_FAKE_OBJS := $(CONF_CASE_OBJS) $(BUILD)/san/fake/libvmo/tests/conformance/conf_raw.o $(CONF_HOST)/fake/conf_fake.o \
                  $(LIBVMO_FAKE_OBJS)
CONF_PROGRAMS := $(CONF_FAKE)
$(CONF_HOST)/fake/%.o $(BUILD)/san/fake/libvmo/tests/%.o: INCLUDES_libvmo/tests += -Ilibvmo/backend/fake
$(CONF_HOST)/conf_raw.o: INCLUDES_libvmo/tests += -Ilibvmo/backend/linux
$(CONF_FAKE): $(CONF_FAKE_OBJS)
	$(Q)$(HOSTCC) $(SAN_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^

CONF_LINUX_SRCS := $(sort $(wildcard libvmo/backend/linux/*.c))
ifneq ($(CONF_LINUX_SRCS),)
CONF_PROGRAMS += $(CONF_HOST)/conf_linux
$(CONF_HOST)/conf_linux: $(CONF_CASE_OBJS) $(CONF_HOST)/conf_raw.o $(CONF_HOST)/linux/conf_linux.o \
    $(CONF_HOST)/conf_peer_main.o $(patsubst %.c,$(BUILD)/san/%.o,$(LIBVMO_CORE_SRCS) $(CONF_LINUX_SRCS))
	$(Q)$(HOSTCC) $(SAN_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^
endif

# ---- On NEURON: init, which carries the peer; once with all groups, once with each alone ------------------
CONF_TARGET := $(BUILD)/target/libvmo/tests/conformance
CONF_NEURON_OBJS := $(patsubst %.c,$(BUILD)/target/%.o,$(CONF_SRCS) libvmo/tests/conformance/neuron/conf_neuron.c \
                    libvmo/tests/conformance/neuron/conf_neuron_main.c)
CONF_PEER_OBJS := $(addprefix $(CONF_TARGET)/,conf_peer.o conf_peer_main.o neuron/conf_neuron.o neuron/conf_neuron_peer.o)
CONF_ELFS := $(CONF_TARGET)/suite.elf $(patsubst %,$(CONF_TARGET)/suite-%.elf,$(CONF_GROUPS))
$(CONF_TARGET)/%.o: INCLUDES_libvmo/tests += -Ilibvmo/backend/neuron
.SECONDARY: $(patsubst %,$(CONF_TARGET)/only-%.o,$(CONF_GROUPS))

$(CONF_TARGET)/conf_peer.elf: $(CONF_PEER_OBJS) $(CRT_OBJS) $(LIBVMO) linker/payload.ld
	$(PAYLOAD_LINK)
$(CONF_TARGET)/neuron/conf_peer_elf.o: libvmo/tests/conformance/neuron/conf_peer_elf.S $(CONF_TARGET)/conf_peer.elf
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(TARGET_CFLAGS) -Wa,-I$(CONF_TARGET) -c -o $@ $<
$(CONF_TARGET)/only-%.o: libvmo/tests/conformance/neuron/conf_only.c
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(TARGET_CFLAGS) $(INCLUDES_libvmo/tests) $(DEPS) -DCONF_ONLY='"$*"' -c -o $@ $<
$(CONF_TARGET)/suite.elf: $(CONF_TARGET)/neuron/conf_only.o
$(filter %.elf,$(filter-out $(CONF_TARGET)/suite.elf,$(CONF_ELFS))): $(CONF_TARGET)/suite-%.elf: $(CONF_TARGET)/only-%.o
$(CONF_ELFS): $(CONF_NEURON_OBJS) $(CONF_TARGET)/neuron/conf_peer_elf.o $(CRT_OBJS) $(LIBVMO) linker/payload.ld
	$(PAYLOAD_LINK)

ALL += $(CONF_ELFS) $(CONF_PROGRAMS)
TEST_SUITES += libvmo/tests/conformance/test_conformance.py
