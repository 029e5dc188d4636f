LIBRARIES += libmail
libmail_USES := libnet libutil
libmail_DEPS :=
libmail_GENERATED := libmail/wide_tables.cc
