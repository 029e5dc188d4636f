# Tern: one non-recursive GNU Makefile.  Each directory has a module.mk that says what it builds:
#
#   LIBRARIES += libutil                     a library: libutil/*.cc
#   PROGRAMS += smtpd                        a program
#   smtpd_SRCS := $(wildcard smtpd/*.cc)     its sources
#   smtpd_LIBS := libipc libmail ... libutil the libraries it links, users before what they use
#   smtpd_DEPS := openssl                    outside libraries, by their names in EXTERN_ below
#   libmail_GENERATED := libmail/tables.cc   more sources of a library: libmail/tables.py OUTPUT writes one
#
# A program's tests and fuzzers link what its `NAME_SRCS` hold but for main.cc.

.DEFAULT_GOAL := all
SHELL := /bin/bash
MAKEFLAGS += --no-builtin-rules

VARIANT ?= release
BUILD := build/$(VARIANT)
VERSION := $(file < VERSION)

prefix ?= /usr
sysconfdir ?= /etc
libexecdir ?= $(prefix)/lib/tern
DESTDIR ?=

CXX := g++
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers -Wnon-virtual-dtor
WERROR ?= -Werror
CPPFLAGS := -I. -D_GNU_SOURCE -DTERN_VERSION='"$(VERSION)"'
BASE_CXXFLAGS := -std=c++20 -fPIE -fno-exceptions -fno-rtti -fstack-protector-strong $(WARNINGS) $(WERROR)
LDFLAGS_BASE := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
EXTERN_FLAGS :=

ifeq ($(VARIANT),release)
CXXFLAGS := -O2 -g1 -D_FORTIFY_SOURCE=2
else ifeq ($(VARIANT),debug)
CXXFLAGS := -O0 -g
else ifeq ($(VARIANT),asan)
# -Og -g1: a third of the compile time of -O1 -g, and reports that name functions and lines all the same.
CXXFLAGS := -Og -g1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_BASE += -fsanitize=address,undefined
else ifeq ($(VARIANT),coverage)
CXXFLAGS := -O0 -g --coverage -fprofile-abs-path
LDFLAGS_BASE += --coverage
else ifeq ($(VARIANT),faults)
# The release's objects, but libutil/sys can fail, record or end the process at the N-th call.
CXXFLAGS := -O2 -g1 -D_FORTIFY_SOURCE=2
FAULT_SRCS := libutil/sys.cc libutil/sys_process.cc libutil/sys_faults.cc master/master.cc usher/launcher.cc
else
$(error unknown VARIANT $(VARIANT): release, debug, asan, coverage, faults)
endif

# What only calls what is tested takes half the time to compile.
TEST_CXXFLAGS := $(if $(filter release faults,$(VARIANT)),-Og)

# Outside libraries.
EXTERN_openssl := -lssl -lcrypto
EXTERN_crypto := -lcrypto
EXTERN_libevent := -levent_core
EXTERN_berkeleydb := -ldb
EXTERN_lmdb := -llmdb
EXTERN_pcre2 := -lpcre2-8
EXTERN_ldns := -lldns
EXTERN_idn2 := -lidn2
EXTERN_seccomp := -lseccomp
EXTERN_crypt := -lcrypt
EXTERN_check := -lcheck -lsubunit -lrt -lm -lpthread

LIBRARIES :=
PROGRAMS :=
LINKS :=
include $(sort $(wildcard */module.mk */*/module.mk))

# make V=1 shows whole commands.
say = $(if $(V),,@printf '%-5s %s\n' $(1) $(2);)

# --- libraries and programs ----------------------------------------------------------------------

objects = $(patsubst %.cc,$(BUILD)/%.o,$(1))
ifeq ($(VARIANT),faults)
objects = $(patsubst %.cc,$(BUILD)/%.o,$(filter $(FAULT_SRCS),$(1))) $(patsubst %.cc,build/release/%.o,$(filter-out $(FAULT_SRCS),$(1)))
endif
library_files = $(foreach lib,$(filter $(LIBRARIES),$(1)),$(BUILD)/$(lib).a)
library_deps = $(foreach lib,$(1),$($(lib)_DEPS))
extern_flags = $(foreach dep,$(1),$(EXTERN_$(dep)))

compile = $(CXX) $(CPPFLAGS) $(BASE_CXXFLAGS) $(CXXFLAGS) $(if $(filter tests/%,$*),$(TEST_CXXFLAGS)) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.cc $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CXX,$@)$(compile) $(if $(FAULT_SRCS),-DTERN_FAULTS)
ifeq ($(VARIANT),faults)
build/release/%.o: %.cc build/release/flags
	@mkdir -p $(@D)
	$(call say,CXX,$@)$(compile)
endif

# Generated sources lie among the objects of their variant.
define generated_rule
.PRECIOUS: %/$(1)
%/$(1): $(1:.cc=.py)
	@mkdir -p $$(@D)
	$$(call say,GEN,$$@)$$< $$@
%/$(1:.cc=.o): %/$(1) %/flags
	$$(call say,CXX,$$@)$$(compile)
endef
$(foreach source,$(foreach lib,$(LIBRARIES),$($(lib)_GENERATED)),$(eval $(call generated_rule,$(source))))

define library_rule
$(1)_SRCS ?= $$(sort $$(wildcard $(1)/*.cc)) $$($(1)_GENERATED)
$(BUILD)/$(1).a: $$(call objects,$$($(1)_SRCS))
	@mkdir -p $$(@D); rm -f $$@
	@ar rcs $$@ $$^
ALL_SRCS += $$($(1)_SRCS)
endef
$(foreach lib,$(LIBRARIES),$(eval $(call library_rule,$(lib))))

# Programs go to build/VARIANT/bin.  NAME_STATIC := yes makes a static-pie (not under a sanitizer).
# The C++ library is linked in: its thousands of symbols, looked up again at each start of a worker,
# were a third of what the start cost.
# A static-pie looks no names up: the C library would load code from outside for it.  The functions of
# libevent that could, which nothing calls, would end the process.
LOOKUPS := getaddrinfo freeaddrinfo getservbyname getprotobynumber
STATIC_FLAGS := -static-pie $(LOOKUPS:%=-Wl,--defsym=%=abort)
static_flags = $(if $(filter asan coverage,$(VARIANT)),,$(if $(filter yes,$($(1)_STATIC)),$(STATIC_FLAGS),-static-libstdc++ -static-libgcc))
define program_rule
$(1)_SRCS ?= $$(sort $$(wildcard $(1)/*.cc))
$(BUILD)/bin/$(1): $$(call objects,$$($(1)_SRCS)) $$(call library_files,$$($(1)_LIBS)) $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)$$(CXX) $$(LDFLAGS_BASE) $$(call static_flags,$(1)) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(call extern_flags,$$($(1)_DEPS) $$(call library_deps,$$($(1)_LIBS)))
ALL_SRCS += $$($(1)_SRCS)
endef
$(foreach program,$(PROGRAMS),$(eval $(call program_rule,$(program))))

# Second names: LINKS += mailq, mailq_TARGET := sendmail.
define link_rule
$(BUILD)/bin/$(1): $(BUILD)/bin/$($(1)_TARGET)
	@ln -sf $($(1)_TARGET) $$@
endef
$(foreach name,$(LINKS),$(eval $(call link_rule,$(name))))

# What was compiled and linked with other flags is made anew: all of it depends on BUILD/flags, which
# is written when they differ from what it says.
flags = $(CXX) $(CPPFLAGS) $(BASE_CXXFLAGS) $(CXXFLAGS) $(TEST_CXXFLAGS) $(LDFLAGS_BASE) $(STATIC_FLAGS)
flags_files := $(sort $(BUILD)/flags $(if $(FAULT_SRCS),build/release/flags))
.PHONY: changed-flags
$(foreach file,$(flags_files),$(if $(subst <$(flags)>,,<$(file < $(file))>),$(eval $(file): changed-flags)))
$(flags_files): export TERN_FLAGS = $(flags)
$(flags_files):
	@mkdir -p $(@D); echo "$$TERN_FLAGS" > $@

.PHONY: all
all: $(PROGRAMS:%=$(BUILD)/bin/%) $(LINKS:%=$(BUILD)/bin/%)

# --- unit tests ------------------------------------------------------------------------------------
# tests/unit/<room>/<file>_test.cc: one Check suite each; all of one room make one binary.

UNIT_ROOMS := $(patsubst tests/unit/%/,%,$(sort $(dir $(wildcard tests/unit/*/*_test.cc))))
# A room's tests link all libraries that its own code links, and the program's own sources.
# NAME_TEST_LIBS adds libraries that only its tests need.
room_libs = $(if $(filter $(1),$(LIBRARIES)),$(1) $(filter-out $(1),$($(1)_USES)),$($(1)_LIBS)) $($(1)_TEST_LIBS)
define unit_rule
UNIT_SRCS_$(1) := $$(sort $$(wildcard tests/unit/$(1)/*.cc)) tests/unit/main.cc
$(BUILD)/tests/unit_$(1): $$(call objects,$$(UNIT_SRCS_$(1)) $$(filter-out %/main.cc,$$(if $$(filter $(1),$$(PROGRAMS)),$$($(1)_SRCS)))) $$(call library_files,$$(call room_libs,$(1)))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)$$(CXX) $$(LDFLAGS_BASE) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(call extern_flags,$$(call library_deps,$$(call room_libs,$(1))) $$($(1)_DEPS) check)
ALL_SRCS += $$(UNIT_SRCS_$(1))
.PHONY: unit-$(1)
unit-$(1): $(BUILD)/tests/unit_$(1)
	$$<
endef
$(foreach room,$(UNIT_ROOMS),$(eval $(call unit_rule,$(room))))

.PHONY: unit
unit: $(UNIT_ROOMS:%=unit-%)

# --- fuzzers ---------------------------------------------------------------------------------------
# tests/fuzz/<room>/<parser>_fuzz.cc: LLVMFuzzerTestOneInput; its corpus in tests/fuzz/<room>/<parser>/.
# `make fuzz-corpus` runs the corpora through a plain runner; `make fuzz` builds libFuzzer targets.

FUZZ_SRCS := $(sort $(wildcard tests/fuzz/*/*_fuzz.cc))
FUZZERS := $(patsubst tests/fuzz/%_fuzz.cc,%,$(FUZZ_SRCS))
FUZZ_RUNNER := tests/fuzz/runner.cc
fuzz_room = $(firstword $(subst /, ,$(1)))
define fuzz_rule
$(BUILD)/fuzz/$(1): $$(call objects,tests/fuzz/$(1)_fuzz.cc $$(FUZZ_RUNNER) $$(filter-out %/main.cc,$$(if $$(filter $(call fuzz_room,$(1)),$$(PROGRAMS)),$$($(call fuzz_room,$(1))_SRCS)))) $$(call library_files,$$(call room_libs,$(call fuzz_room,$(1))))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)$$(CXX) $$(LDFLAGS_BASE) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(call extern_flags,$$(call library_deps,$$(call room_libs,$(call fuzz_room,$(1)))) $$($(call fuzz_room,$(1))_DEPS))
endef
$(foreach fuzzer,$(FUZZERS),$(eval $(call fuzz_rule,$(fuzzer))))
ALL_SRCS += $(FUZZ_SRCS) $(if $(FUZZ_SRCS),tests/fuzz/runner.cc)

.PHONY: fuzz-corpus
fuzz-corpus: $(FUZZERS:%=$(BUILD)/fuzz/%)
	@$(foreach fuzzer,$(FUZZERS),$(BUILD)/fuzz/$(fuzzer) $(wildcard tests/fuzz/$(fuzzer)) && ) true

-include $(patsubst %.o,%.d,$(call objects,$(sort $(ALL_SRCS))))

# --- manual pages -----------------------------------------------------------------------------------
# A line `.\" parameters: NAME` in man/PAGE becomes the entries of that section's parameters.

MAN_PAGES := $(patsubst man/%,$(BUILD)/man/%,$(sort $(wildcard man/*.[1-9])))

$(BUILD)/man/%: man/% $(BUILD)/bin/ternconf
	@mkdir -p $(@D)
	$(call say,MAN,$@)tests/manpage $(BUILD)/bin/ternconf $< > $@.new && mv $@.new $@

.PHONY: man
man: $(MAN_PAGES)

include tests/targets.mk

.PHONY: clean
clean:
	rm -rf build
