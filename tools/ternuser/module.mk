PROGRAMS += ternuser
ternuser_SRCS := $(sort $(wildcard tools/ternuser/*.cc))
ternuser_LIBS := libipc libmail libnet libconf libutil
ternuser_DEPS := crypt
