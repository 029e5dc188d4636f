PROGRAMS += sendmail
sendmail_SRCS := $(sort $(wildcard tools/sendmail/*.cc))
sendmail_LIBS := libqueue libipc libmail libconf libutil
sendmail_DEPS := libevent

# mailq is sendmail by another name.
LINKS += mailq
mailq_TARGET := sendmail
# So is newaliases.
LINKS += newaliases
newaliases_TARGET := sendmail
