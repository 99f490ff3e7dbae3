# SPDX-License-Identifier: Apache-2.0
# The host's reference: digests by OpenSSL. Its suite runs the tool as shipped, then under ASan and UBSan.

HOST_REF := $(BUILD)/host/host-ref/host-ref
HOST_REF_SRCS := $(sort $(wildcard host-ref/*.c))
HOST_REF_SABOTEUR := $(BUILD)/host/host-ref/tests/ref_saboteur.so
HOST_REF_SUITE := host-ref/tests/test_host_ref.py
ALL += $(HOST_REF)
TEST_SUITES += $(HOST_REF_SUITE)
TEST_NEEDS += $(HOST_REF) $(BUILD)/san/host-ref/host-ref $(HOST_REF_SABOTEUR)
$(foreach flavour,host san,$(eval $(call HOST_PROGRAM,$(flavour),host-ref/host-ref,$(HOST_REF_SRCS),-lcrypto)))

$(HOST_REF_SABOTEUR): $(BUILD)/pic/host-ref/tests/ref_saboteur.o $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(call Q,LD)$(CC_host) $(CFLAGS) $(LDFLAGS) -shared -o $@.new $< && mv -f $@.new $@

.PHONY: digest test-host-ref

NEEDS_digest := $(HOST_REF)
TOOLS_digest := openssl
digest: built ## print the expected digest of PAYLOAD
	$(Q)$(HOST_REF) expected --payload "$$PAYLOAD"

NEEDS_test-host-ref := $(filter %/host-ref %/ref_saboteur.so,$(TEST_NEEDS))
TOOLS_test-host-ref := openssl
test-host-ref: built ## test only the host's reference
	$(Q)$(PYTHON) $(HOST_REF_SUITE)
