LIBRARIES += libqueue
libqueue_USES := libipc libmail libnet libconf libutil
libqueue_DEPS :=
