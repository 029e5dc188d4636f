# What door and engine share (framing, arguments), and the engine that the mailbox program hosts.
LIBRARIES += imapd/syntax imapd/engine
imapd/syntax_USES := libmail libutil
imapd/engine_USES := imapd/syntax libstore libmail libipc libutil
imapd_TEST_LIBS := imapd/engine imapd/syntax libstore libmail libutil
# The dialogues of tests/dialog over both engines.
dialog_TEST_LIBS := imapd/engine imapd/syntax pop3d/engine libstore libmail libutil
PROGRAMS += imapd
imapd_SRCS := $(wildcard imapd/*.cc)
imapd_LIBS := imapd/syntax libipc libmail libnet libconf libutil
