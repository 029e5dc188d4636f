PROGRAMS += bounce
bounce_SRCS := $(wildcard bounce/*.cc)
bounce_LIBS := libqueue libipc libmail libnet libconf libutil
