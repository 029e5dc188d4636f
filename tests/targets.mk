# The checks: what `make check` and `make check-long` run.

.PHONY: layering
layering:
	@tests/layering

.PHONY: check
check: layering unit fuzz-corpus
