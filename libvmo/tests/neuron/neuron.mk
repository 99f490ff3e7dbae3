# SPDX-License-Identifier: Apache-2.0
# Tests of the NEURON backend on the host, over a kernel that each test brings, under ASan and UBSan.

NX_TESTS := test_nx_in_flight
NX_OBJS := $(patsubst %.c,$(BUILD)/san/neuron/%.o,$(sort $(wildcard libvmo/src/*.c libvmo/backend/neuron/*.c)))

$(BUILD)/san/libvmo/tests/neuron/%.o: INCLUDES_libvmo/tests += -Ilibvmo/backend/neuron

define NX_TEST_RULE
TEST_SUITES += $(BUILD)/san/libvmo/tests/neuron/$(1)
$(BUILD)/san/libvmo/tests/neuron/$(1): $(BUILD)/san/libvmo/tests/neuron/$(1).o $(NX_OBJS)
	$$(Q)$$(HOSTCC) $$(SAN_CFLAGS) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ -lcmocka
endef
$(foreach test,$(NX_TESTS),$(eval $(call NX_TEST_RULE,$(test))))
