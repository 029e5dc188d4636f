PROGRAMS += usher
usher_SRCS := $(wildcard usher/*.cc)
usher_LIBS := libstore libipc libmail libnet libconf libutil
