# A stand-in for mailbox(8) that a message can end; not installed.
PROGRAMS += test-mailbox
test-mailbox_SRCS := $(wildcard tests/mailbox/*.cc)
test-mailbox_LIBS := libipc libmail libutil
test-mailbox_STATIC := yes
