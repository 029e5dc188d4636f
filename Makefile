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
VERSION := $(strip $(file < VERSION))

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
# Checks that cost a quarter of the compile time: a null pointer is seen without them, too, and a pointer
# that is not aligned comes only from where bytes become something else.
LEAN_SANITIZER := -fno-sanitize=null,alignment
CASTING_ROOMS := libutil libnet libipc libqueue libstore
else ifeq ($(VARIANT),coverage)
CXXFLAGS := -O0 -g --coverage -fprofile-abs-path
LDFLAGS_BASE += --coverage
else ifeq ($(VARIANT),faults)
# The release's objects, but libutil/sys can fail, record or end the process at the N-th call.
CXXFLAGS := -O2 -g1 -D_FORTIFY_SOURCE=2
else
$(error unknown VARIANT $(VARIANT): release, debug, asan, coverage, faults)
endif

FAULT_SRCS := libutil/sys.cc libutil/sys_process.cc libutil/sys_faults.cc master/master.cc usher/launcher.cc

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
EXTERN_zlib := -lz
EXTERN_crypt := -lcrypt
EXTERN_pam := -lpam
EXTERN_check := -lcheck -lsubunit -lrt -lm -lpthread

LIBRARIES :=
PROGRAMS :=
LINKS :=
include $(sort $(wildcard */module.mk */*/module.mk))

# make V=1 shows whole commands.
say = $(if $(V),,@printf '%-5s %s\n' $(1) $(2);)

# --- libraries and programs ----------------------------------------------------------------------

# An object holds one source or, where a fresh tree is compiled, some of a directory (GROUP_ of the source).
object_names = $(sort $(foreach source,$(1),$(or $(GROUP_$(source)),$(source:.cc=)).o))
objects = $(addprefix $(BUILD)/,$(call object_names,$(1)))
ifeq ($(VARIANT),faults)
objects = $(addprefix $(BUILD)/,$(call object_names,$(filter $(FAULT_SRCS),$(1)))) \
	$(addprefix build/release/,$(call object_names,$(filter-out $(FAULT_SRCS),$(1))))
endif
library_files = $(foreach lib,$(filter $(LIBRARIES),$(1)),$(BUILD)/$(lib).a)
library_deps = $(foreach lib,$(1),$($(lib)_DEPS))
extern_flags = $(foreach dep,$(1),$(EXTERN_$(dep)))

# The C++ library's headers are parsed once, which saves a quarter of the time.  Not for clang; through ccache only
# where its configuration has sloppiness = pch_defines,time_macros and pch_external_checksum = true.  g++ 12 warns
# wrongly of the library's own code there: `make PCH=` says what is to be warned of.
through_ccache = $(findstring ccache,$(realpath $(shell command -v g++)))
PCH ?= $(if $(filter g++,$(CXX)),$(if $(through_ccache),$(if $(findstring pch_defines,$(shell ccache -k sloppiness)),$(filter asan release,$(VARIANT))),$(filter asan release,$(VARIANT))))
PCH := $(PCH)
# Tests of the release are compiled with other flags.
pch_place = $(BUILD)$(if $(filter release,$(PCH)),$(if $(filter tests/%,$(1)),/tests))
pch_quiet = $(if $(filter release,$(PCH)),$(if $(filter tests/%,$(1)),-w,$(OPTIMISER_WARNINGS:%=-Wno-%)),-w)
pch_flags = $(if $(PCH),-include $(pch_place)/precompiled.h -fpch-preprocess $(pch_quiet) )
pch_file = $(if $(PCH),$(pch_place)/precompiled.h.gch)
OPTIMISER_WARNINGS := stringop-overflow stringop-overread array-bounds restrict maybe-uninitialized

compile_flags = $(CPPFLAGS) $(BASE_CXXFLAGS) $(CXXFLAGS) $(if $(filter tests/%,$(1)),$(TEST_CXXFLAGS)) \
	$(if $(filter $(CASTING_ROOMS:%=%/%),$(1)),,$(LEAN_SANITIZER))
compile = $(CXX) $(call pch_flags,$*)$(call compile_flags,$*) -MMD -MP -c -o $@ $<

define pch_rule
$(call pch_file,$(1)): libutil/precompiled.h $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(call say,CXX,$$@)$$(CXX) $$(call compile_flags,$(1)) -w -x c++-header -o $$@ $$<
	@cat $$^ | cksum > $$@.sum
endef
$(if $(PCH),$(foreach source,$(if $(filter release,$(PCH)),tests/x x,x),$(eval $(call pch_rule,$(source)))))
PCH_FILES := $(sort $(call pch_file,x) $(call pch_file,tests/x))

$(BUILD)/%.o: %.cc $(BUILD)/flags $(PCH_FILES)
	@mkdir -p $(@D)
	$(call say,CXX,$@)$(compile) $(if $(filter faults,$(VARIANT)),-DTERN_FAULTS)
ifeq ($(VARIANT),faults)
build/release/%.o: %.cc build/release/flags
	@mkdir -p $(@D)
	$(call say,CXX,$@)$(compile)
endif

# GROUPED sources of a directory are compiled at a time, since headers that they share cost half of the time.  Names
# in unnamed namespaces are therefore unique within a directory.  Not through ccache, where the change of one source shall
# cost one.  What is linked by itself somewhere stays by itself, and so do libraries, and rooms, of which programs take parts.
GROUPED ?= $(if $(filter g++,$(CXX)),$(if $(through_ccache),,$(if $(filter asan release faults,$(VARIANT)),8)))
PIECEMEAL := libutil libconf libnet libmail libipc libtrust librouting tools/common tools/ternconf
SINGLE := $(PIECEMEAL:%=%/%.cc) %/main.cc %_fuzz.cc tests/fuzz/runner.cc tests/unit/libnet/certificate.cc $(FAULT_SRCS)
objects_place = $(if $(filter faults,$(VARIANT)),build/release,$(BUILD))
hash := \#
group_words = $(sort $(hash)include $(1:%="%"))
define group_rule
$(foreach source,$(2),$(eval GROUP_$(source) := $(1)))
$(if $(filter-out $(call group_words,$(2)) ,$(file < $(objects_place)/$(1).cc))$(filter-out $(file < $(objects_place)/$(1).cc),$(call group_words,$(2))),$(objects_place)/$(1).cc: changed-flags)
$(objects_place)/$(1).cc:
	@mkdir -p $$(@D); printf '$(hash)include "%s"\n' $(2) > $$@
$(objects_place)/$(1).o: $(objects_place)/$(1).cc $(2) $(objects_place)/flags $(PCH_FILES)
	$$(call say,CXX,$$@)$$(CXX) $$(call pch_flags,$(1))$$(call compile_flags,$(1)) -Wno-shadow -MMD -MP -c -o $$@ $$<
endef
# (directory, sources, a word for each group before)
rest = $(wordlist $(words $(wordlist 1,$(GROUPED),$(1)) more),$(words $(1)),$(1))
grouped = $(if $(2),$(eval $(call group_rule,$(1)group-$(words $(3) 1),$(wordlist 1,$(GROUPED),$(2))))$(call grouped,$(1),$(call rest,$(2)),$(3) 1))
$(if $(GROUPED),$(foreach directory,$(sort $(dir $(wildcard */*.cc */*/*.cc tests/unit/*/*.cc))),$(call \
	grouped,$(directory),$(filter-out $(SINGLE),$(sort $(wildcard $(directory)*.cc))))))

# Generated sources lie among the objects of their variant.
define generated_rule
.PRECIOUS: %/$(1)
%/$(1): $(1:.cc=.py)
	@mkdir -p $$(@D)
	$$(call say,GEN,$$@)$$< $$@
%/$(1:.cc=.o): %/$(1) %/flags $(PCH_FILES)
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
# is written when they differ from what it says.  (GNU Make 4.3 leaves the line's end at times: strip.)
flags = $(CXX) $(CPPFLAGS) $(BASE_CXXFLAGS) $(CXXFLAGS) $(TEST_CXXFLAGS) $(LDFLAGS_BASE) $(STATIC_FLAGS)$(LEAN_SANITIZER:%= %)
flags_files := $(sort $(BUILD)/flags $(if $(filter faults,$(VARIANT)),build/release/flags))
.PHONY: changed-flags
$(foreach file,$(flags_files),$(if $(subst <$(strip $(flags))>,,<$(strip $(file < $(file)))>),$(eval $(file): changed-flags)))
$(flags_files): export TERN_FLAGS = $(flags)
$(flags_files):
	@mkdir -p $(@D); echo "$$TERN_FLAGS" > $@

.PHONY: all
all: $(PROGRAMS:%=$(BUILD)/bin/%) $(LINKS:%=$(BUILD)/bin/%)

# --- unit tests ------------------------------------------------------------------------------------
# tests/unit/<room>/<file>_test.cc: one Check suite each; all of one room make one binary.

UNIT_ROOMS := $(patsubst tests/unit/%/,%,$(sort $(dir $(wildcard tests/unit/*/*_test.cc))))
# A room's tests link all libraries that its own code links, and the program's own sources.
# NAME_TEST_LIBS adds libraries that only its tests need, NAME_TEST_SRCS sources from another room's tests.
room_libs = $(if $(filter $(1),$(LIBRARIES)),$(1) $(filter-out $(1),$($(1)_USES)),$($(1)_LIBS)) $($(1)_TEST_LIBS)
define unit_rule
UNIT_SRCS_$(1) := $$(sort $$(wildcard tests/unit/$(1)/*.cc)) $$($(1)_TEST_SRCS) tests/unit/main.cc
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
