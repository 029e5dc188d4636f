LIBRARIES += libmail
libmail_USES := libnet libconf libutil
libmail_DEPS :=
libmail_GENERATED := libmail/unicode_tables.cc libmail/wide_tables.cc
