# SPDX-License-Identifier: Apache-2.0
# Programs that must fail. Each replaces functions of the producer, the consumer or both at link time, so the sources
# under test do not change: <name> := <program>:<function> ... The functions are in mutant_<name>.c, or in one file for
# each program, mutant_<name>_<program>.c.

MUTANT ?=
MUTANT_flipped-byte := producer:vmo_seal
MUTANT_no-transfer := producer:vmo_send
MUTANT_liar := producer:vmo_recv
MUTANT_ventriloquist := producer:vmo_send
MUTANT_store := consumer:vmo_view_sha256
MUTANT_dies := consumer:vmo_view_sha256
MUTANT_hangs := consumer:vmo_view_sha256
# The consumer hashes nothing; the producer gives it the digests.
MUTANT_slack := producer:vmo_seal consumer:vmo_view_sha256
MUTANT_patched-image := producer:vmo_peer_spawn consumer:vmo_view_sha256
# The consumer hashes a copy.
MUTANT_hashes-read := consumer:vmo_map_ro consumer:vmo_view_sha256 consumer:vmo_counters_read
MUTANT_hashes-copy := consumer:vmo_view_sha256
MUTANT_hashes-blocks := consumer:vmo_view_sha256
# The tasks communicate outside the protocol.
MUTANT_one-byte := producer:vmo_peer_spawn
MUTANT_tells-stack := producer:vmo_peer_spawn
MUTANT_tells-gp := producer:nx_call
MUTANT_tells-name := producer:nx_call
MUTANT_tells-flags := producer:nx_call
MUTANT_tells-slot := producer:nx_call
MUTANT_maps-for-consumer := producer:nx_call
MUTANT_tells-status := consumer:task_finish
MUTANT_extra-message := producer:vmo_send consumer:vmo_recv
# False seals, and events in the wrong order.
MUTANT_noseal := producer:vmo_seal producer:vmo_seal_of producer:vmo_seal_enforced_by
MUTANT_claims-forever := producer:vmo_seal_of
MUTANT_tells-forever := producer:vmo_seal_of producer:nx_call
MUTANT_late-write := producer:vmo_view_data_rw producer:vmo_recv
MUTANT_early-marker := producer:vmo_send producer:puts
# For the witness (tests/foreign/test_witness.py): what a kernel's audit could hide, and what a witness could miss.
MUTANT_whispers := producer:vmo_send consumer:vmo_recv
MUTANT_copies := producer:nx_call
MUTANT_speaks-for-it := producer:puts consumer:puts
MUTANT_hides-a-call := consumer:vmo_view_sha256
MUTANT_floods := consumer:vmo_view_sha256
# For the proof of streams (tests/stream-proof).
MUTANT_stream-early := consumer:vmo_stream_take consumer:vmo_stream_release
MUTANT_stream-twice := consumer:vmo_stream_release
MUTANT_stream-never := consumer:vmo_stream_release
MUTANT_stream-silent := consumer:vmo_view_data_rw
MUTANT_stream-wrong-index := consumer:vmo_view_data_rw consumer:vmo_stream_release
MUTANT_stream-overwrites := producer:vmo_stream_publish
MUTANT_stream-skips := producer:vmo_stream_publish
MUTANT_stream-repeats := producer:vmo_stream_publish
MUTANT_stream-repeats-quietly := producer:vmo_stream_publish consumer:vmo_stream_take
MUTANT_stream-writes-for-it := producer:vmo_map_ro producer:vmo_view_data producer:vmo_stream_publish \
                               producer:vmo_recv consumer:vmo_view_data_rw
MUTANT_stream-copies := consumer:vmo_sha256_update
MUTANT_stream-unsealed := producer:vmo_seal
MUTANT_stream-late-write := producer:vmo_stream_publish producer:vmo_recv
# For the Linux proof only (tests/host-proof).
MUTANT_private-copy := consumer:vmo_map_ro consumer:vmo_counters_read
MUTANT_unsealed := producer:vmo_seal
MUTANT_wrong-page := consumer:vmo_view_sha256
MUTANT_leak := consumer:vmo_registry_fini
# For the proof of fills (tests/fill-proof).
MUTANT_fill-nothing := producer:vmo_view_data_rw
MUTANT_fill-length := producer:vmo_unmap
MUTANT_fill-late := producer:vmo_view_data_rw producer:vmo_unmap producer:vmo_close producer:vmo_send
MUTANT_fill-keeps := producer:vmo_unmap producer:vmo_close producer:vmo_recv
MUTANT_fill-writes := producer:vmo_unmap producer:vmo_close producer:vmo_recv
MUTANT_fill-silent := producer:vmo_send producer:vmo_recv
MUTANT_fill-client-writes := consumer:vmo_map_ro
MUTANT_fill-early-marker := producer:vmo_recv producer:puts

ifneq ($(MUTANT),)
ifeq ($(MUTANT_$(MUTANT)),)
$(error there is no mutant '$(MUTANT)'; see tests/qemu/mutants.mk)
endif
endif
# Extra words for the link of consumer or producer.
MUTANT_FILE := mutant_$(subst -,_,$(MUTANT))
mutant_functions = $(patsubst $(1):%,%,$(filter $(1):%,$(MUTANT_$(MUTANT))))
mutant_of = $(if $(mutant_functions),$(mutant_functions:%=-Wl$(comma)--wrap=%) $(wildcard tests/*/mutants/$(MUTANT_FILE).c \
            tests/*/mutants/$(MUTANT_FILE)_$(1).c))
