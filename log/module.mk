PROGRAMS += log
log_SRCS := $(wildcard log/*.cc)
log_LIBS := libipc libconf libutil
