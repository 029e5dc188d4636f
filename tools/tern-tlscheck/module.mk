PROGRAMS += tern-tlscheck
tern-tlscheck_SRCS := $(sort $(wildcard tools/tern-tlscheck/*.cc))
tern-tlscheck_LIBS := smtp/site libtrust librouting libipc libmail libnet libconf libutil
tern-tlscheck_TEST_SRCS := tests/unit/libnet/certificate.cc
