# SPDX-License-Identifier: Apache-2.0
# vmo(1), over the public headers alone. It contains the library, so it runs wherever it is installed.

TOOL_SRCS := $(sort $(wildcard libvmo/tool/*.c))
TOOL := $(BUILD)/host/libvmo/tool/vmo
ALL += $(TOOL)
INCLUDES_libvmo/tool := -Ilibvmo/include
$(eval $(call HOST_PROGRAM,host,libvmo/tool/vmo,$(TOOL_SRCS),$(LIBVMO_HOST)))
$(TOOL): $(LIBVMO_HOST)
# Under ASan and UBSan, for the tests.
$(eval $(call HOST_PROGRAM,san,libvmo/tool/vmo,$(TOOL_SRCS) $(LIBVMO_LINUX_SRCS)))
