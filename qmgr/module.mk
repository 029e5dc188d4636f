PROGRAMS += qmgr
qmgr_SRCS := $(sort $(wildcard qmgr/*.cc))
qmgr_LIBS := libqueue librouting libipc libmail libnet libconf libutil
