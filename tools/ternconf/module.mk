PROGRAMS += ternconf
ternconf_SRCS := $(sort $(wildcard tools/ternconf/*.cc))
ternconf_LIBS := libtrust libipc libmail libnet libconf libutil
