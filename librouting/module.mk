LIBRARIES += librouting
librouting_USES := libmail libnet libconf libutil
librouting_DEPS :=
