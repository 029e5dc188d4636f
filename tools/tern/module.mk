PROGRAMS += tern
tern_SRCS := $(sort $(wildcard tools/tern/*.cc))
tern_LIBS := libipc libmail libnet libconf libutil
