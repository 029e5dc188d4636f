LIBRARIES += libmail
libmail_USES := libnet libconf libutil
libmail_DEPS :=
libmail_GENERATED := libmail/wide_tables.cc
