LIBRARIES += libsearch
libsearch_USES := libstore libmail libutil
libsearch_DEPS :=
