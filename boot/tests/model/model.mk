# SPDX-License-Identifier: Apache-2.0
# Random programs, judged by a model of the contract, against the kernel core on the host.

MODEL_PARTS := model.o model_kind.o model_op.o model_cap.o model_vmo.o model_space.o model_map.o model_ipc.o model_task.o model_allow.o \
               model_gen.o model_make.o model_run.o model_wind.o model_text.o
MODEL_HOST_OBJS := $(addprefix boot/tests/model/,$(MODEL_PARTS) model_host.o model_walk.o model_shrink.o \
                   test_model_core.o)

# In `make test` with 100,000 operations; here with OPS, from seed SEED on.
.PHONY: property
property: $(BUILD)/san/boot/tests/model/test_model_core ## OPS random operations (1000000) from SEED (1) against the kernel core
	@OPS=$(or $(OPS),1000000) SEED=$(or $(SEED),1) $(PYTHON) scripts/run-tests.py $<

TEST_SUITES += $(BUILD)/san/boot/tests/model/test_model_core
$(BUILD)/san/boot/tests/model/test_model_core: $(addprefix $(BUILD)/san/,$(MODEL_HOST_OBJS) $(CORE_KERNEL_OBJS))
	$(Q)$(HOSTCC) $(SAN_CFLAGS) -o $@ $^ -lcmocka
