# SPDX-License-Identifier: Apache-2.0
# Checks that need builds of their own: static analysis, coverage, valgrind. CI runs each of them.

# ---- Flavours ------------------------------------------------------------------------------------
# ana: compiled for gcc's analyzer alone, which sees most at -O0. cov: counts lines and branches.
ANALYZE_CFLAGS := $(WARN) -O0 -g -fanalyzer
COVERAGE_CFLAGS := $(WARN) -O0 -g --coverage -fprofile-update=atomic

$(BUILD)/ana/%.o: %.c $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(ANALYZE_CFLAGS) $(call includes,$*) $(DEPS) $(CFLAGS) -c -o $@ $<
$(BUILD)/cov/%.o: %.c $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(COVERAGE_CFLAGS) $(call includes,$*) $(DEPS) $(CFLAGS) -c -o $@ $<
$(eval $(call BACKEND_FLAVOUR,ana,ANALYZE_CFLAGS,fake))
$(eval $(call BACKEND_FLAVOUR,cov,COVERAGE_CFLAGS,fake))

# ---- Static analysis -----------------------------------------------------------------------------
# The library's core is looked at with the types of both backends that the host has.
ANALYZE_OBJS := $(patsubst %.c,$(BUILD)/ana/%.o,$(sort $(wildcard libvmo/src/*.c libvmo/backend/linux/*.c boot/core/*.c))) \
                $(LIBVMO_FAKE_OBJS:$(BUILD)/san/%=$(BUILD)/ana/%)

.PHONY: analyze coverage memcheck

analyze: $(ANALYZE_OBJS) ## gcc -fanalyzer, clang-tidy and cppcheck, at zero findings
	@echo "analyze: gcc -fanalyzer, $(words $^) files, zero findings"
	@scripts/analyze.sh

# ---- The tests of the core, built to be counted and to be watched ---------------------------------
# The unit tests, and the conformance suite on the fake backend, as their own folders' .mk build them, less the
# sanitizers, which would count branches of their own.
COVERAGE_TESTS := $(UNIT_TESTS:%=$(BUILD)/cov/libvmo/tests/unit/%) $(CONF_FAKE:$(BUILD)/san/%=$(BUILD)/cov/%)
MEMCHECK_TESTS := $(UNIT_TESTS:%=$(BUILD)/host/libvmo/tests/unit/%) $(CONF_FAKE:$(BUILD)/san/%=$(BUILD)/host/%)
$(foreach flavour,cov host,$(BUILD)/$(flavour)/libvmo/tests/%.o $(BUILD)/$(flavour)/fake/libvmo/tests/%.o): \
    INCLUDES_libvmo/tests += -Ilibvmo/backend/fake
FLAVOUR_LINK_cov = $(HOSTCC) $(COVERAGE_CFLAGS) $(CFLAGS) $(LDFLAGS)
FLAVOUR_LINK_host = $(HOSTCC) $(HOST_CFLAGS) $(CFLAGS) $(LDFLAGS)

define FLAVOUR_TEST_RULE
$(BUILD)/$(1)/libvmo/tests/unit/$(2): $(BUILD)/$(1)/libvmo/tests/unit/$(2).o $(UNIT_OBJS:$(BUILD)/san/%=$(BUILD)/$(1)/%)
	$$(Q)$$(FLAVOUR_LINK_$(1)) -o $$@ $$^ -lcmocka $$(UNIT_LIBS_$(2))
endef
$(foreach test,$(UNIT_TESTS),$(foreach flavour,cov host,$(eval $(call FLAVOUR_TEST_RULE,$(flavour),$(test)))))

$(CONF_FAKE:$(BUILD)/san/%=$(BUILD)/cov/%): $(CONF_FAKE_OBJS:$(BUILD)/san/%=$(BUILD)/cov/%)
	$(Q)$(FLAVOUR_LINK_cov) -o $@ $^
$(CONF_FAKE:$(BUILD)/san/%=$(BUILD)/host/%): $(CONF_FAKE_OBJS:$(BUILD)/san/%=$(BUILD)/host/%)
	$(Q)$(FLAVOUR_LINK_host) -o $@ $^

# The kernel's, by its tests on the host: those of the rooms, and the random programs.
COVERAGE_CORE_TESTS := $(CORE_TESTS:%=$(BUILD)/cov/boot/tests/core/%) $(BUILD)/cov/boot/tests/model/test_model_core

define COVERAGE_CORE_RULE
$(BUILD)/cov/boot/tests/core/$(1): $(addprefix $(BUILD)/cov/,boot/tests/core/$(1).o $(CORE_OBJS_$(1)))
	$$(Q)$$(FLAVOUR_LINK_cov) -o $$@ $$^ -lcmocka
endef
$(foreach test,$(CORE_TESTS),$(eval $(call COVERAGE_CORE_RULE,$(test))))
$(BUILD)/cov/boot/tests/model/test_model_core: $(addprefix $(BUILD)/cov/,$(MODEL_HOST_OBJS) $(CORE_KERNEL_OBJS))
	$(Q)$(FLAVOUR_LINK_cov) -o $@ $^ -lcmocka

coverage: $(COVERAGE_TESTS) $(COVERAGE_CORE_TESTS) ## lines and branches of library and kernel core that tests reach; fails below the targets
	@scripts/coverage.sh $(BUILD)/cov libvmo/src/ 98 90 $(COVERAGE_TESTS)
	@scripts/coverage.sh $(BUILD)/cov 'boot/(core|sys)/|boot/init/bootargs' 95 90 $(COVERAGE_CORE_TESTS)

memcheck: $(MEMCHECK_TESTS) ## the tests of the core under valgrind, at zero errors
	@scripts/memcheck.sh $(MEMCHECK_TESTS)
