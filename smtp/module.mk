PROGRAMS += smtp
smtp_SRCS := $(sort $(wildcard smtp/*.cc))
smtp_LIBS := smtp/site libtrust librouting libqueue libipc libmail libnet libconf libutil
smtp_TEST_SRCS := tests/unit/libnet/certificate.cc

# The LMTP client is the same program, with parameters of its own.
LINKS += lmtp
lmtp_TARGET := smtp
