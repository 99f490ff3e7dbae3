# SPDX-License-Identifier: Apache-2.0
# The library as others get it: shared object, pkg-config file, manual, install and uninstall.

# The one place of the version. A change that breaks the ABI changes LIBVMO_ABI, and with it the soname.
LIBVMO_VERSION := 0.1.0
LIBVMO_ABI := 0

# Where `make install` puts things; DESTDIR, for packagers, stands before each path.
DESTDIR ?=
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
# The target's library and headers.
TARGETDIR ?= $(PREFIX)/riscv64-unknown-elf

LIBVMO_MAP := libvmo/libvmo.map
LIBVMO_SO := $(BUILD)/host/libvmo.so.$(LIBVMO_VERSION)
LIBVMO_SO_OBJS := $(patsubst %.c,$(BUILD)/pic/%.o,$(LIBVMO_CORE_SRCS) $(LIBVMO_LINUX_SRCS))
ALL += $(LIBVMO_SO)

$(BUILD)/pic/%.o: %.c $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOST_CFLAGS) -fPIC $(call includes,$*) $(DEPS) $(CFLAGS) -c -o $@ $<

# What the map does not name stays inside. The linker does not miss a name of the map that nobody defines:
# libvmo/tests/packaging compares the lists.
$(LIBVMO_SO): $(LIBVMO_SO_OBJS) $(LIBVMO_MAP)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOST_CFLAGS) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libvmo.so.$(LIBVMO_ABI) \
	    -Wl,--version-script=$(LIBVMO_MAP) -Wl,-z,defs -Wl,-z,relro -Wl,-z,now -Wl,--fatal-warnings \
	    -o $@ $(LIBVMO_SO_OBJS)

# By environment, so that a folder may have any name.
INSTALL_ENV = BUILD='$(BUILD)' VERSION='$(LIBVMO_VERSION)' ABI='$(LIBVMO_ABI)' DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' \
              LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' MANDIR='$(MANDIR)' TARGETDIR='$(TARGETDIR)'

.PHONY: install uninstall install-target uninstall-target

install: $(LIBVMO_HOST) $(LIBVMO_SO) ## install headers, libraries and manual below DESTDIR and PREFIX
	@$(INSTALL_ENV) scripts/install.sh install host

uninstall: ## remove what `make install` put there
	@$(INSTALL_ENV) scripts/install.sh uninstall host

install-target: $(LIBVMO) ## install headers and library for RISC-V below DESTDIR and TARGETDIR
	@$(INSTALL_ENV) scripts/install.sh install target

uninstall-target: ## remove what `make install-target` put there
	@$(INSTALL_ENV) scripts/install.sh uninstall target
