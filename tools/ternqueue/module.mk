PROGRAMS += ternqueue
ternqueue_SRCS := $(sort $(wildcard tools/ternqueue/*.cc))
ternqueue_LIBS := libqueue libipc libmail libnet libconf libutil
