PROGRAMS += ternbox
ternbox_SRCS := $(sort $(wildcard tools/ternbox/*.cc))
ternbox_LIBS := libipc libsearch libstore libmail libnet libconf libutil
