# SPDX-License-Identifier: Apache-2.0
# The commands, links and examples of the documents. A goal of its own, since its commands build and boot.
DOCS_SUITE := tests/docs/test_documents.py
.PHONY: check-docs
NEEDS_check-docs := everything $(MODEL_TEST) $(BUILD)/san/fake/libvmo/tests/unit/test_views
TOOLS_check-docs := qemu cmocka openssl packaging lint
check-docs: built ## run each command of the documents, compile their examples, follow their links
	@$(PYTHON) scripts/run-tests.py $(DOCS_SUITE)
