PROGRAMS += sts
sts_SRCS := $(wildcard sts/*.cc)
sts_LIBS := libtrust libipc libmail libnet libconf libutil
