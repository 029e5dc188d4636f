PROGRAMS += tern
tern_SRCS := $(sort $(wildcard tools/tern/*.cc)) tools/ternconf/sections.cc tools/ternconf/unused.cc
tern_LIBS := libipc librouting libmail libnet libconf libutil
