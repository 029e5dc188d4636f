PROGRAMS += cleanup
cleanup_SRCS := $(sort $(wildcard cleanup/*.cc))
cleanup_LIBS := libqueue librouting libipc libmail libnet libconf libutil
