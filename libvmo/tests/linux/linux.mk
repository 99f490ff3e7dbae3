# SPDX-License-Identifier: Apache-2.0
# Tests of the Linux backend below libvmo's core, on the host, under ASan and UBSan; and a fuzzed receiver.

LX_TESTS := test_lx_object test_lx_seals test_lx_file test_lx_channel test_lx_refusals test_lx_transfer test_lx_peer
LX_OBJS := $(patsubst %.c,$(BUILD)/san/%.o,$(sort $(wildcard libvmo/src/*.c libvmo/backend/linux/*.c)) \
           libvmo/tests/linux/lx_test.c)
LX_CHILD := $(BUILD)/san/libvmo/tests/linux/lx_child

$(BUILD)/san/libvmo/tests/linux/%.o: INCLUDES_libvmo/tests += -Ilibvmo/backend/linux
$(BUILD)/san/libvmo/tests/fuzz/%.o: INCLUDES_libvmo/tests += -Ilibvmo/backend/linux -Ilibvmo/tests/linux

# What the tests spawn: found beside the test.
$(LX_CHILD): $(BUILD)/san/libvmo/tests/linux/lx_child.o $(filter-out %/lx_test.o,$(LX_OBJS))
	$(Q)$(HOSTCC) $(SAN_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^
$(BUILD)/san/libvmo/tests/linux/test_lx_peer: | $(LX_CHILD)

define LX_TEST_RULE
TEST_SUITES += $(BUILD)/san/libvmo/tests/$(1)
$(BUILD)/san/libvmo/tests/$(1): $(BUILD)/san/libvmo/tests/$(1).o $(LX_OBJS)
	$$(Q)$$(HOSTCC) $$(SAN_CFLAGS) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ -lcmocka
endef
$(foreach test,$(LX_TESTS:%=linux/%) fuzz/fuzz_lx_receive,$(eval $(call LX_TEST_RULE,$(test))))
