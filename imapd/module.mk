# What door and engine share (framing, arguments), and the engine that the mailbox program hosts.
LIBRARIES += imapd/syntax imapd/engine
imapd/syntax_USES := libmail libutil
imapd/engine_USES := imapd/syntax libsearch libstore libmail libipc libutil
imapd/engine_DEPS := zlib
imapd_TEST_LIBS := imapd/engine imapd/syntax libsearch libstore libmail libutil
# The dialogues of tests/dialog over both engines.
dialog_TEST_LIBS := imapd/engine imapd/syntax pop3d/engine libsearch libstore libmail libutil
PROGRAMS += imapd
imapd_SRCS := $(wildcard imapd/*.cc)
imapd_LIBS := imapd/syntax libipc libmail libnet libconf libutil
