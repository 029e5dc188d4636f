PROGRAMS += auth
auth_SRCS := $(wildcard auth/*.cc)
auth_LIBS := libipc libmail libnet libconf libutil
auth_DEPS := crypt
