PROGRAMS += sendmail
sendmail_SRCS := $(sort $(wildcard tools/sendmail/*.cc))
sendmail_LIBS := libqueue libipc libmail libconf libutil
sendmail_DEPS := libevent
