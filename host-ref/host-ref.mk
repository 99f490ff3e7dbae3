# SPDX-License-Identifier: Apache-2.0
# The host's reference: digests by OpenSSL. Its suite runs on the tool as shipped and under ASan and UBSan.

HOST_REF := $(BUILD)/host/host-ref/host-ref
HOST_REF_SAN := $(BUILD)/san/host-ref/host-ref
HOST_REF_SRCS := $(sort $(wildcard host-ref/*.c))
HOST_REF_SABOTEUR := $(BUILD)/host/host-ref/tests/ref_saboteur.so
HOST_REF_SUITE := host-ref/tests/test_host_ref.py
ALL += $(HOST_REF)
TEST_SUITES += $(HOST_REF_SUITE)

$(HOST_REF): $(HOST_REF_SRCS:%.c=$(BUILD)/host/%.o)
	$(Q)$(HOSTCC) $(HOST_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcrypto

$(HOST_REF_SAN): $(HOST_REF_SRCS:%.c=$(BUILD)/san/%.o)
	$(Q)$(HOSTCC) $(SAN_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcrypto

$(HOST_REF_SABOTEUR): host-ref/tests/ref_saboteur.c
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOST_CFLAGS) $(CFLAGS) $(LDFLAGS) -fPIC -shared -o $@ $<

$(HOST_REF_SUITE): | $(HOST_REF) $(HOST_REF_SAN) $(HOST_REF_SABOTEUR)

.PHONY: digest test-host-ref

digest: $(HOST_REF) ## print the expected digest of PAYLOAD
	$(Q)$(HOST_REF) expected --payload '$(subst ','\'',$(PAYLOAD))'

test-host-ref: | $(HOST_REF_SUITE) ## test the host's reference alone
	$(Q)BUILD='$(BUILD)' $(PYTHON) $(HOST_REF_SUITE)
