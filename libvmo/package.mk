# SPDX-License-Identifier: Apache-2.0
# The packaged library: shared object, pkg-config file, manual, install and uninstall.

# The version is the header's. A change that breaks the ABI changes LIBVMO_ABI, and with it the soname
# (libvmo/README.md).
LIBVMO_VERSION := $(shell awk '/^.define VMO_VERSION_(MAJOR|MINOR|PATCH) / { printf "%s%s", dot, $$3; dot = "." }' \
                          libvmo/include/vmo/vmo.h)
LIBVMO_ABI := 1

# Where `make install` puts files. DESTDIR, for packagers, is put before each path.
DESTDIR ?=
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
# The target's library, headers, start code and linker script, and the folder of its pkg-config file.
TARGETDIR ?= $(PREFIX)/riscv64-unknown-elf
TARGETPCDIR ?= $(PREFIX)/share/pkgconfig

LIBVMO_MAP := libvmo/libvmo.map
LIBVMO_SO := $(BUILD)/host/libvmo.so.$(LIBVMO_VERSION)
ALL += $(LIBVMO_SO)

# The map lists the exported names. The linker accepts an undefined name in the map, so libvmo/tests/packaging compares
# the lists.
LIBVMO_SO_LDFLAGS := -shared -Wl,-soname,libvmo.so.$(LIBVMO_ABI) -Wl,--version-script=$(LIBVMO_MAP) -Wl,-z,defs \
                     -Wl,-z,relro -Wl,-z,now -Wl,--fatal-warnings
# A message passes through many small files: compile them as one, where compiler and linker can (clang needs a plugin).
LIBVMO_SO_LTO := $(if $(LOCKED),$(shell for lto in '-flto -flto-partition=one' -flto; do echo 'int a;' | $(HOSTCC) $$lto \
                 -fPIC -shared -x c -o /dev/null - 2>/dev/null && echo "$$lto" && break; done))
OPTIONS_pic_libvmo := $(LIBVMO_SO_LTO)
$(LIBVMO_SO): $(call objects,pic,$(LIBVMO_LINUX_SRCS)) $(LIBVMO_MAP) $(FLAGS_FILE) $(PARTS_FILE)
	@mkdir -p $(@D)
	$(call Q,LD)$(CC_host) $(LIBVMO_SO_LTO) $(CFLAGS) $(LDFLAGS) $(LIBVMO_SO_LDFLAGS) -o $@.new $(filter %.o,$^) && mv -f $@.new $@

# Passed in the environment, so that a folder may have any name.
INSTALL_ENV = $(foreach v,BUILD DESTDIR PREFIX BINDIR LIBDIR INCLUDEDIR MANDIR COMPLETIONDIR TARGETDIR \
              TARGETPCDIR,$(v)=$(call quote,$($(v)))) \
              VERSION='$(LIBVMO_VERSION)' ABI='$(LIBVMO_ABI)' TARGET_FLAGS='$(RISCV) $(PICOLIBC)'

.PHONY: install uninstall install-target uninstall-target

CHECKS_install = $(INSTALL_ENV) scripts/install.sh check host &&
CHECKS_install-target = $(INSTALL_ENV) scripts/install.sh check target &&

NEEDS_install := $(LIBVMO_HOST) $(LIBVMO_SO) $(TOOL)
install: built ## install headers, libraries, vmo(1) and manual below DESTDIR and PREFIX
	@$(INSTALL_ENV) scripts/install.sh install host

uninstall: ## remove the files of `make install`
	@$(INSTALL_ENV) scripts/install.sh uninstall host

NEEDS_install-target = $(LIBVMO) $(LIBVMO_START)
install-target: built ## install what a NEURON program is built with, below DESTDIR and TARGETDIR
	@$(INSTALL_ENV) scripts/install.sh install target

uninstall-target: ## remove the files of `make install-target`
	@$(INSTALL_ENV) scripts/install.sh uninstall target

# ---- Debian packages ---------------------------------------------------------------------------------
.PHONY: deb
TOOLS_deb := host target deb
deb: built ## build Debian packages of library, development files and target library in $(BUILD)/deb
	@scripts/make-deb.sh $(BUILD)/deb $(LIBVMO_VERSION)
