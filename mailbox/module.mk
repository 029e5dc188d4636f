PROGRAMS += mailbox
mailbox_SRCS := $(wildcard mailbox/*.cc)
mailbox_LIBS := imapd/engine imapd/syntax pop3d/engine libstore libipc libmail libutil
mailbox_STATIC := yes
