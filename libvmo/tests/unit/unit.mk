# SPDX-License-Identifier: Apache-2.0
# Tests of libvmo's core on the fake backend, on the host, under ASan and UBSan.

UNIT_TESTS := test_bytes test_channel test_dup test_inject test_peer test_registry test_require test_seals test_sha256 test_status \
              test_transfer test_views test_wire test_wrap
UNIT_OBJS := $(LIBVMO_FAKE_OBJS) $(BUILD)/san/libvmo/tests/unit/unit.o
UNIT_LIBS_test_sha256 := -lcrypto

$(BUILD)/san/libvmo/tests/unit/%.o: INCLUDES_libvmo/tests += -Ilibvmo/backend/fake

define UNIT_TEST_RULE
TEST_SUITES += $(BUILD)/san/libvmo/tests/unit/$(1)
$(BUILD)/san/libvmo/tests/unit/$(1): $(BUILD)/san/libvmo/tests/unit/$(1).o $(UNIT_OBJS)
	$$(Q)$$(HOSTCC) $$(SAN_CFLAGS) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ -lcmocka $$(UNIT_LIBS_$(1))
endef
$(foreach test,$(UNIT_TESTS),$(eval $(call UNIT_TEST_RULE,$(test))))
