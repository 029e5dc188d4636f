# The engine that the mailbox program hosts.
LIBRARIES += pop3d/engine
pop3d/engine_USES := libstore libmail libipc libutil
pop3d_TEST_LIBS := pop3d/engine libstore libmail libutil
PROGRAMS += pop3d
pop3d_SRCS := $(wildcard pop3d/*.cc)
pop3d_LIBS := libipc libmail libnet libconf libutil
