LIBRARIES += librouting
librouting_USES := libmail libconf libutil
