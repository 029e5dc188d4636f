PROGRAMS += terndrop
terndrop_SRCS := $(sort $(wildcard tools/terndrop/*.cc))
terndrop_LIBS := libqueue libipc libmail libconf libutil
terndrop_DEPS := libevent
