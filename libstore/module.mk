LIBRARIES += libstore
libstore_USES := libutil
libstore_DEPS :=
