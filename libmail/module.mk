LIBRARIES += libmail
libmail_USES := libnet libutil
libmail_DEPS :=
