PROGRAMS += errands
errands_SRCS := $(wildcard errands/*.cc)
errands_LIBS := librouting libipc libmail libnet libconf libutil
