# The checks and the demo: what `make check`, `make check-long` and `make demo` run.

# `sudo make check` and `sudo make demo` install what they need first.
PURPOSES := build check clients coverage deb format fuzz long tidy
.PHONY: $(PURPOSES:%=packages-%)
$(PURPOSES:%=packages-%): packages-%:
	@tests/packages $*

# Compiling takes all processors, unless the caller has said how many.
IN_PARALLEL := $(if $(findstring j,$(filter-out --%,$(MAKEFLAGS))),,-j$(shell nproc))

.PHONY: demo
demo: packages-check
	@$(MAKE) --no-print-directory $(IN_PARALLEL) all
	@VARIANT=$(VARIANT) tests/demo

.PHONY: layering
layering:
	@tests/layering
	@tests/unique-names

.PHONY: rfcs
rfcs:
	@tests/rfcs
check-run: rfcs

# Which of Postfix's parameters are here.  The list is made from the code and kept for people.
.PHONY: postfix-parameters doc/postfix-parameters.tsv
postfix-parameters: $(BUILD)/bin/ternconf
	@tests/postfix-parameters $<
doc/postfix-parameters.tsv: $(BUILD)/bin/ternconf
	@$< --postfix-parameters > $@
check-run: postfix-parameters

.PHONY: manlint
manlint: man
	@tests/manlint $(MAN_PAGES)

# The programs that crash tests run: a few sources more, and linking.  These tests are skipped in the
# asan variant.
FAULTS := $(if $(filter asan,$(VARIANT)),,faults)
.PHONY: faults
faults: $(if $(filter release,$(VARIANT)),all)
	@$(MAKE) --no-print-directory all VARIANT=faults BUILD=build/faults

# System tests: tests/system/NN-name/run, each with a private instance in a directory of its own.
SYSTEM_TESTS := $(sort $(wildcard tests/system/*/run))

.PHONY: system
system: all $(FAULTS)
	@VARIANT=$(VARIANT) tests/system/runner $(SYSTEM_TESTS)

# A fresh machine lacks the compiler's libraries, so packages come before anything is built.
.PHONY: check check-build check-run check-long tests-build units
check: packages-check
	@$(MAKE) --no-print-directory $(IN_PARALLEL) all $(FAULTS) man
	@$(MAKE) --no-print-directory $(IN_PARALLEL) check-run

check-build: all $(FAULTS) man tests-build
tests-build: $(UNIT_ROOMS:%=$(BUILD)/tests/unit_%) $(FUZZERS:%=$(BUILD)/fuzz/%)
check-run: layering manlint units system

# Compiled and run beside the system tests, which wait more than they work.
units: all $(FAULTS) man
	@nice -n 10 $(MAKE) --no-print-directory tests-build
	@$(MAKE) --no-print-directory --keep-going unit fuzz-corpus

check-long: packages-long
	@$(MAKE) --no-print-directory $(IN_PARALLEL) check-build
	@LONG=1 CK_TIMEOUT_MULTIPLIER=60 TEST_LIMIT=$${TEST_LIMIT:-7200} $(MAKE) --no-print-directory check-run

.PHONY: asan
asan:
	@$(MAKE) --no-print-directory check VARIANT=asan

# Other people's clients: browsers, desktop programs and what fetches mail.  One test at a time: each has
# a browser's appetite.
CLIENT_TESTS := $(sort $(wildcard tests/clients/*/run))
.PHONY: check-clients
check-clients: packages-clients
	@$(MAKE) --no-print-directory $(IN_PARALLEL) all
	@VARIANT=$(VARIANT) TEST_JOBS=1 tests/system/runner $(CLIENT_TESTS)

# Line coverage of the unit tests and corpora, as build/coverage/report.txt.
.PHONY: coverage
coverage: packages-coverage
	@$(MAKE) --no-print-directory $(IN_PARALLEL) tests-build VARIANT=coverage
	@$(MAKE) --no-print-directory unit fuzz-corpus VARIANT=coverage
	@gcovr --root . --exclude 'tests/' --output build/coverage/report.txt build/coverage
	@tail -n 3 build/coverage/report.txt

# libFuzzer targets with clang: build/libfuzzer/fuzz/ROOM/PARSER; each runs for FUZZ_SECONDS over its corpus.
# What is found lies in build/libfuzzer/found/ROOM/PARSER-*, with the fuzzer's output beside it; it
# joins the corpus with its repair.
FUZZ_SECONDS ?= 30
FUZZ_BUILD := build/libfuzzer
.PHONY: fuzz
fuzz: packages-fuzz
	@$(MAKE) --no-print-directory $(IN_PARALLEL) run-fuzzers BUILD=$(FUZZ_BUILD) CXX=clang++ WERROR= \
	    CXXFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined' \
	    LDFLAGS_BASE='-pie -fsanitize=fuzzer,address,undefined' FUZZ_RUNNER=

.PHONY: run-fuzzers
run-fuzzers: $(FUZZERS:%=$(BUILD)/fuzz/%)
	@failed=; for fuzzer in $(FUZZERS); do \
	    found=$(BUILD)/found/$$fuzzer; mkdir -p $(BUILD)/corpus/$$fuzzer $${found%/*}; \
	    if $(BUILD)/fuzz/$$fuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
	        -artifact_prefix=$$found- $(BUILD)/corpus/$$fuzzer $$(ls -d tests/fuzz/$$fuzzer 2>/dev/null) > $$found.log 2>&1; \
	    then echo "ok      $$fuzzer: $$(tail -n 1 $$found.log)"; \
	    else echo "FAILED  $$fuzzer"; tail -n 60 $$found.log; failed=yes; fi; \
	done; [ -z "$$failed" ]

# The comparison with other servers: needs root, the bench program's path, and its peers.
.PHONY: bench
bench: all
	@tests/bench/run $(BENCH_ARGUMENTS)

# Not the declarations of parameters: their texts stand where no formatter would put them.
.PHONY: format
format: packages-format
	@git ls-files '*.cc' '*.h' ':!*config.h' | xargs clang-format -i

.PHONY: tidy
tidy: packages-tidy
	@git ls-files '*.cc' ':!tests' | xargs -n 4 -P $(shell nproc) sh -c \
	    'clang-tidy --quiet "$$@" -- -std=c++20 -fno-exceptions -fno-rtti -I. -D_GNU_SOURCE -DTERN_VERSION=\"\" 2> /dev/null' tidy

# --- installing ------------------------------------------------------------------------------------

DAEMONS := master smtpd pickup cleanup qmgr smtp local errands pipe tables sts bounce auth auth-pam anvil verify usher mailbox imapd pop3d log
COMMAND_LINKS := $(filter-out lmtp,$(LINKS))
COMMANDS := $(filter-out $(DAEMONS) test-%,$(PROGRAMS))

# terndrop becomes set-gid when the package, or the administrator, has made its group.
.PHONY: install
install: all man
	install -d $(DESTDIR)$(libexecdir) $(DESTDIR)$(prefix)/sbin $(DESTDIR)$(sysconfdir)/tern
	install -m 755 $(foreach daemon,$(filter $(DAEMONS),$(PROGRAMS)),$(BUILD)/bin/$(daemon)) $(DESTDIR)$(libexecdir)
	install -m 755 $(COMMANDS:%=$(BUILD)/bin/%) $(DESTDIR)$(prefix)/sbin
	for name in $(COMMAND_LINKS); do ln -sf sendmail $(DESTDIR)$(prefix)/sbin/$$name; done
	ln -sf smtp $(DESTDIR)$(libexecdir)/lmtp
	for file in main.cf master.cf; do \
	    [ -e $(DESTDIR)$(sysconfdir)/tern/$$file ] || install -m 644 conf/$$file $(DESTDIR)$(sysconfdir)/tern; done
	for name in $(COMMAND_LINKS); do \
	    install -d $(DESTDIR)$(prefix)/share/man/man1; \
	    echo ".so man1/sendmail.1" > $(DESTDIR)$(prefix)/share/man/man1/$$name.1; done
	for page in $(MAN_PAGES); do \
	    install -D -m 644 $$page $(DESTDIR)$(prefix)/share/man/man$${page##*.}/$${page##*/}; done

# A Debian package of this tree, in build/deb.
.PHONY: deb
deb: packages-deb
	rm -rf build/deb && mkdir -p build/deb
	@grep -q '^tern ($(VERSION)' debian/changelog || { echo 'debian/changelog and VERSION differ' >&2; exit 1; }
	git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - | tar -C build/deb -xf - --one-top-level=tern-$(VERSION)
	cd build/deb/tern-$(VERSION) && DEB_BUILD_OPTIONS="parallel=$(shell nproc) nocheck $(DEB_BUILD_OPTIONS)" dpkg-buildpackage -us -uc -b
	@ls build/deb/*.deb
