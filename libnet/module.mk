LIBRARIES += libnet
libnet_USES := libconf libutil
libnet_DEPS := openssl ldns idn2
