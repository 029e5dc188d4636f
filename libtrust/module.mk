LIBRARIES += libtrust
libtrust_USES := libipc libmail libnet libconf libutil
libtrust_TEST_SRCS := tests/unit/libnet/certificate.cc
