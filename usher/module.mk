PROGRAMS += usher
usher_SRCS := $(wildcard usher/*.cc)
usher_LIBS := libipc libmail libnet libconf libutil
