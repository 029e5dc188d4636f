LIBRARIES += libutil
libutil_USES :=
libutil_DEPS := libevent crypto
