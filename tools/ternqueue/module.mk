PROGRAMS += ternqueue
ternqueue_SRCS := $(sort $(wildcard tools/ternqueue/*.cc)) tools/common/queue_access.cc
ternqueue_LIBS := libqueue libipc libmail libnet libconf libutil
