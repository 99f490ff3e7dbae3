# SPDX-License-Identifier: Apache-2.0
# Programs that must not pass. Each replaces one function of the producer or the consumer at link time, so the sources
# under test do not change: <name> := <program> <function>.

MUTANT ?=
MUTANT_flipped-byte := producer vmo_seal
MUTANT_no-transfer := producer vmo_send
MUTANT_liar := producer vmo_recv
MUTANT_ventriloquist := producer vmo_send
MUTANT_store := consumer vmo_view_sha256
MUTANT_dies := consumer vmo_view_sha256
MUTANT_hangs := consumer vmo_view_sha256
# For the Linux proof alone (tests/host-proof).
MUTANT_private-copy := consumer vmo_map_ro
MUTANT_unsealed := producer vmo_seal
MUTANT_leak := consumer vmo_registry_fini

ifneq ($(MUTANT),)
ifeq ($(MUTANT_$(MUTANT)),)
$(error there is no mutant '$(MUTANT)'; see tests/qemu/mutants.mk)
endif
MUTANT_OF := $(firstword $(MUTANT_$(MUTANT)))
MUTANT_SRC := $(wildcard tests/*/mutants/mutant_$(subst -,_,$(MUTANT)).c)
MUTANT_WORDS := -Wl,--wrap=$(word 2,$(MUTANT_$(MUTANT))) $(MUTANT_SRC)
endif
# Extra words for the link of consumer or producer.
mutant_of = $(if $(filter $(1),$(MUTANT_OF)),$(MUTANT_WORDS))
