LIBRARIES += libipc
libipc_USES := libmail libnet libconf libutil
libipc_DEPS := libevent
