# SPDX-License-Identifier: Apache-2.0
# The same producer and consumer as two Linux processes, under the harness that is their parent.

LINUX_TASK_OBJ := $(BUILD)/host/payloads/linux/linux_task.o
HOST_CONSUMER_OBJS := $(addprefix $(BUILD)/host/payloads/,consumer/consumer.o linux/accept_linux.o) $(LINUX_TASK_OBJ)
# What of the producer does not change from run to run; content.c and embedded.S do.
HOST_PRODUCER_OBJS := $(addprefix $(BUILD)/host/payloads/,producer/producer.o linux/connect_linux.o) $(LINUX_TASK_OBJ)
ALL += $(HOST_CONSUMER_OBJS) $(HOST_PRODUCER_OBJS)

# The judge looks for blocks of the payload in the consumer, and a program can be the payload. What the linker makes is
# alike in most programs: so there is no position-independent header, no lazy binding, and the code stands at an
# address of its own, with distances of its own to the tables that it jumps through (see also cut-sections.py).
HOST_RUN_CFLAGS = $(HOST_CFLAGS) $(INCLUDES_payloads) -I$(RUN_DIR)/challenge -Wa,-I$(RUN_DIR)/challenge
HOST_RUN_LDFLAGS := -no-pie -Wl,--fatal-warnings
HOST_CONSUMER_LDFLAGS := $(HOST_RUN_LDFLAGS) -Wl,-z,now -Wl,--section-start=.init=0x5a3010
HOST_CONSUMER_MUTANT := $(if $(filter consumer,$(MUTANT_OF)),$(MUTANT_LDFLAGS) $(MUTANT_SRC))
HOST_PRODUCER_MUTANT := $(if $(filter producer,$(MUTANT_OF)),$(MUTANT_LDFLAGS) $(MUTANT_SRC))

.PHONY: host-elf run-host
host-elf: $(HOST_CONSUMER_OBJS) $(HOST_PRODUCER_OBJS) $(LIBVMO_HOST)
	$(if $(RUN_DIR),,$(error host-elf needs RUN_DIR, whose folder challenge host-ref has filled))
	$(Q)$(HOSTCC) $(HOST_CFLAGS) $(INCLUDES_payloads) $(CFLAGS) $(HOST_CONSUMER_LDFLAGS) -o $(RUN_DIR)/consumer.debug \
	    $(HOST_CONSUMER_MUTANT) $(HOST_CONSUMER_OBJS) $(LIBVMO_HOST)
	$(Q)$(PYTHON) payloads/linux/cut-sections.py $(RUN_DIR)/consumer.debug $(RUN_DIR)/consumer
	$(Q)$(HOSTCC) $(HOST_RUN_CFLAGS) $(CFLAGS) $(HOST_RUN_LDFLAGS) -o $(RUN_DIR)/producer \
	    payloads/producer/content.c payloads/producer/embedded.S $(HOST_PRODUCER_MUTANT) \
	    $(HOST_PRODUCER_OBJS) $(LIBVMO_HOST)

run-host: locked-all ## run the proof as two Linux processes with PAYLOAD, and judge it
	@scripts/host-test.sh --payload "$$PAYLOAD" $(if $(filter 1,$(V)),--verbose)
