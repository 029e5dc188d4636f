PROGRAMS += terncat
terncat_SRCS := $(sort $(wildcard tools/terncat/*.cc))
terncat_LIBS := libqueue libipc libmail libnet libconf libutil
