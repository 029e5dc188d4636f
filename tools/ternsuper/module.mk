PROGRAMS += ternsuper
ternsuper_SRCS := $(sort $(wildcard tools/ternsuper/*.cc)) tools/common/queue_access.cc
ternsuper_LIBS := libqueue libipc libmail libnet libconf libutil
