PROGRAMS += verify
verify_SRCS := $(wildcard verify/*.cc)
verify_LIBS := librouting libipc libmail libnet libconf libutil
