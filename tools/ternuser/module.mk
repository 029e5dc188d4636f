PROGRAMS += ternuser
ternuser_SRCS := $(sort $(wildcard tools/ternuser/*.cc)) tools/common/live_sessions.cc tools/common/table_text.cc
ternuser_LIBS := libstore libipc libmail libnet libconf libutil
ternuser_DEPS := crypt
