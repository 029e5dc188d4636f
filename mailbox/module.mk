PROGRAMS += mailbox
mailbox_SRCS := $(wildcard mailbox/*.cc)
mailbox_LIBS := imapd/engine imapd/syntax pop3d/engine libsearch libstore libipc libmail libutil
mailbox_STATIC := yes
