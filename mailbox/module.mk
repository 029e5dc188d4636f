PROGRAMS += mailbox
mailbox_SRCS := $(wildcard mailbox/*.cc)
mailbox_LIBS := imapd/engine imapd/syntax libstore libipc libmail libutil
mailbox_STATIC := yes
