# SPDX-License-Identifier: Apache-2.0
# The payloads. The consumer is built once; the producer is linked for every run, with that run's content.

PAYLOAD_LDFLAGS := -nostartfiles -static -T linker/payload.ld -Wl,--gc-sections -Wl,--fatal-warnings \
                   -Wl,-z,max-page-size=4096
PAYLOAD_LINK = $(CC_target) $(PAYLOAD_LDFLAGS)

CRT_SRCS := $(sort $(wildcard payloads/crt/*.c payloads/crt/*.S))
# The start code for programs outside this tree (`make install-target`).
LIBVMO_START := $(BUILD)/target/libvmo-start.a
ALL += $(LIBVMO_START)
$(eval $(call ARCHIVE,$(LIBVMO_START),$(call objects,target,$(CRT_SRCS)),$(CROSS)ar))
# The proofs, by PROOF=: the sources of their two programs. A consumer is built once; its ELF file is in the proof's folder,
# that of `share` in none.
PROOFS := share stream fill
share_CONSUMER_SRCS := payloads/consumer/consumer.c payloads/proof_report.c
share_PRODUCER_SRCS := payloads/producer/producer.c payloads/proof_report.c payloads/proof_producer.c
stream_CONSUMER_SRCS := payloads/stream/frames_consumer.c payloads/proof_report.c
stream_PRODUCER_SRCS := payloads/stream/frames_producer.c payloads/proof_report.c payloads/proof_producer.c
fill_CONSUMER_SRCS := payloads/fill/fill_consumer.c payloads/proof_report.c
fill_PRODUCER_SRCS := payloads/fill/fill_producer.c payloads/proof_report.c payloads/proof_producer.c
ifneq ($(words $(PROOF))$(words $(filter $(PROOFS),$(PROOF))),11)
$(error PROOF: there is no proof '$(PROOF)'; choose one of: $(PROOFS))
endif
consumer_srcs = $($(1)_CONSUMER_SRCS) payloads/neuron/accept_neuron.c $(CRT_SRCS)
consumer_elf = $(patsubst share/%,%,$(1)/)consumer.elf
$(foreach proof,$(PROOFS),$(eval $(call PAYLOAD_PROGRAM,payloads/$(call consumer_elf,$(proof)),$(call \
    consumer_srcs,$(proof)),$(LIBVMO))))
CONSUMER := $(BUILD)/target/payloads/$(call consumer_elf,$(PROOF))
# producer_objs are the same in every run; PRODUCER_CONTENT embeds the run's files.
producer_objs = $(call objects,target,$($(1)_PRODUCER_SRCS) payloads/neuron/connect_neuron.c $(CRT_SRCS))
PRODUCER_CONTENT := payloads/producer/content.c payloads/producer/embedded.S
ALL += $(foreach proof,$(PROOFS),$(BUILD)/target/payloads/$(call consumer_elf,$(proof)) $(call producer_objs,$(proof)))

# ---- One run, with host-ref's files in RUN_DIR/challenge ----------------------------------------------
# MUTANT names a file of tests/qemu/mutants that replaces a function of one of the two (tests/qemu/mutants.mk).
include tests/qemu/mutants.mk
need_run_dir = $(if $(RUN_DIR),,$(error this goal needs RUN_DIR=folder, with host-ref's files in folder/challenge))
RUN_INCLUDES = -I$(RUN_DIR)/challenge -I$(RUN_DIR) $(INCLUDES_payloads)

# On NEURON: RUN_DIR gets producer.elf and consumer.elf. One program: $(call RUN_LINK,program,objects and sources).
RUN_LINK = $(call Q,LD,$(RUN_DIR)/$(1).elf)$(PAYLOAD_LINK) $(RUN_INCLUDES) $(call mutant_of,$(1)) -o $(RUN_DIR)/$(1).debug.elf $(2) $(LIBVMO)
RUN_STRIP = $(Q)$(CROSS)objcopy --strip-debug $(RUN_DIR)/$(1).debug.elf $(RUN_DIR)/$(1).elf

.PHONY: run-elf run-elf-files
NEEDS_run-elf := run-elf-files
run-elf: built
run-elf-files: $(KERNEL_ELF) $(CONSUMER) $(call producer_objs,$(PROOF)) $(LIBVMO)
	$(need_run_dir)
ifneq ($(call mutant_of,consumer),)
	$(call RUN_LINK,consumer,$(call objects,target,$(call consumer_srcs,$(PROOF))))
	$(call RUN_STRIP,consumer)
else
	$(Q)cp $(CONSUMER) $(RUN_DIR)/consumer.elf
	$(Q)cp $(CONSUMER:.elf=.debug.elf) $(RUN_DIR)/consumer.debug.elf
endif
	$(call RUN_LINK,producer,$(PRODUCER_CONTENT) payloads/neuron/consumer_elf.S $(call producer_objs,$(PROOF)))
	$(call RUN_STRIP,producer)

# On Linux: the same producer and consumer as two processes, under the harness that is their parent.
linux_consumer_objs = $(call objects,host,$($(1)_CONSUMER_SRCS) payloads/linux/accept_linux.c payloads/linux/linux_task.c)
linux_producer_objs = $(call objects,host,$($(1)_PRODUCER_SRCS) payloads/linux/connect_linux.c payloads/linux/linux_task.c)
ALL += $(foreach proof,$(PROOFS),$(call linux_consumer_objs,$(proof)) $(call linux_producer_objs,$(proof)))

# The judge searches the consumer for blocks of the payload, and the payload can be a program. The linker generates the
# same blocks in most programs. So the consumer has no position-independent header and no lazy binding, and its code is at
# an unusual address, at unusual distances from its jump tables (see also cut-sections.py).
LINUX_CONSUMER_LDFLAGS := -no-pie -Wl,--fatal-warnings -Wl,-z,now -Wl,--section-start=.init=0x5a3010
LINUX_PRODUCER_LDFLAGS := -no-pie -Wl,--fatal-warnings
LINUX_LINK = $(call Q,LD,$(RUN_DIR)/$(1))$(CC_host) $(RUN_INCLUDES) $(CFLAGS) $($(2)) $(call mutant_of,$(1))

.PHONY: host-elf host-elf-files run-host
NEEDS_host-elf := host-elf-files
host-elf: built
host-elf-files: $(call linux_consumer_objs,$(PROOF)) $(call linux_producer_objs,$(PROOF)) $(LIBVMO_HOST)
	$(need_run_dir)
	$(call LINUX_LINK,consumer,LINUX_CONSUMER_LDFLAGS) -o $(RUN_DIR)/consumer.debug \
	    $(call linux_consumer_objs,$(PROOF)) $(LIBVMO_HOST)
	$(Q)$(PYTHON) payloads/linux/cut-sections.py $(RUN_DIR)/consumer.debug $(RUN_DIR)/consumer
	$(call LINUX_LINK,producer,LINUX_PRODUCER_LDFLAGS) -o $(RUN_DIR)/producer \
	    $(PRODUCER_CONTENT) $(call linux_producer_objs,$(PROOF)) $(LIBVMO_HOST)

NEEDS_run-host := everything
run-host: built ## run the proof as two Linux processes with PAYLOAD, and judge it
	@scripts/host-test.sh --proof $(PROOF) $(call GIVEN,PAYLOAD,--payload "$$PAYLOAD") $(if $(filter 1,$(V)),--verbose)

# ---- evil: one program for each hazard, without the library (docs/testing/hazards.md).
EVIL_NAMES := $(patsubst payloads/evil/%.c,%,$(sort $(wildcard payloads/evil/evil_*.c)))
EVIL_SRCS := $(addprefix payloads/evil/,evil.c evil_call.S evil_child.S) $(CRT_SRCS)
ALL += $(EVIL_NAMES:%=$(BUILD)/target/payloads/evil/%.elf)
$(foreach evil,$(EVIL_NAMES),$(eval $(call PAYLOAD_PROGRAM,payloads/evil/$(evil).elf,payloads/evil/$(evil).c $(EVIL_SRCS))))

# ---- probe: init ELF files that print every call's answer, and the child that they embed (docs/testing/probe.md).
probe_srcs = $(wildcard $(foreach name,$(1),payloads/probe/$(name).[cS]))
PROBES := probe probe2 probe-hazards
PROBE_MAIN_probe := probe_main $(addprefix probe_,vmo map_a1 map_a2 as share cap endpoint ipc move lifecycle children memory last)
PROBE_MAIN_probe2 := probe2_main probe_refused_elf
PROBE_MAIN_probe-hazards := probe_hazards_main
PROBE_CHILD := $(BUILD)/target/payloads/probe/probe_child.elf
# Shared by all probes: everything of crt except the start code, because the probe has its own.
PROBE_SRCS := $(filter-out $(call probe_srcs,probe_child $(foreach probe,$(PROBES),$(PROBE_MAIN_$(probe)))),$(call \
              probe_srcs,*)) $(filter-out %/crt_start.S,$(CRT_SRCS))
ALL += $(PROBES:%=$(BUILD)/target/payloads/%.elf)
$(eval $(call PAYLOAD_PROGRAM,payloads/probe/probe_child.elf,$(call probe_srcs,probe_start probe_child)))
$(eval $(call CARRIES,payloads/probe/probe_child_elf,$(PROBE_CHILD)))
$(foreach probe,$(PROBES),$(eval $(call PAYLOAD_PROGRAM,payloads/$(probe).elf,$(call \
    probe_srcs,$(PROBE_MAIN_$(probe))) $(PROBE_SRCS))))
