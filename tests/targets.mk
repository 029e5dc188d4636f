# The checks and the demo: what `make check`, `make check-long` and `make demo` run.

# `sudo make check` and `sudo make demo` install what they need first.
.PHONY: packages-build packages-check packages-clients
packages-build packages-check packages-clients: packages-%:
	@tests/packages $*

.PHONY: demo
demo: packages-check
	@$(MAKE) --no-print-directory all
	@VARIANT=$(VARIANT) tests/demo

.PHONY: layering
layering:
	@tests/layering

.PHONY: manlint
manlint:
	@tests/manlint $(wildcard man/*.[1-9])

# System tests: tests/system/NN-name/run, each with a private instance in a directory of its own.
SYSTEM_TESTS := $(sort $(wildcard tests/system/*/run))

.PHONY: system
system: all
	@VARIANT=$(VARIANT) tests/system/runner $(SYSTEM_TESTS)

# A fresh machine lacks the compiler's libraries, so packages come before anything is built.
.PHONY: check check-all check-long
check: packages-check
	@$(MAKE) --no-print-directory check-all

check-all: layering manlint all unit fuzz-corpus $(if $(SYSTEM_TESTS),system)

check-long: packages-clients
	@$(MAKE) --no-print-directory check-all LONG=1
