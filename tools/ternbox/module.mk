PROGRAMS += ternbox
ternbox_SRCS := $(sort $(wildcard tools/ternbox/*.cc))
ternbox_LIBS := libstore libmail libconf libutil
ternbox_DEPS := seccomp
