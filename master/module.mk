PROGRAMS += master
master_SRCS := $(wildcard master/*.cc)
master_LIBS := libipc libnet libconf libutil
