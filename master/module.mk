PROGRAMS += master
master_SRCS := $(wildcard master/*.cc)
master_LIBS := libipc libnet libconf libutil
master_TEST_SRCS := tests/unit/libnet/certificate.cc
