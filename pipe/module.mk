PROGRAMS += pipe
pipe_SRCS := $(sort $(wildcard pipe/*.cc))
pipe_LIBS := libqueue libipc libmail libnet libconf libutil
