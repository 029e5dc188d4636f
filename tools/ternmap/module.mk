PROGRAMS += ternmap
ternmap_SRCS := $(sort $(wildcard tools/ternmap/*.cc))
ternmap_LIBS := libconf libutil
