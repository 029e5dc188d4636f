LIBRARIES += libconf
libconf_USES := libutil
libconf_DEPS := berkeleydb lmdb pcre2
