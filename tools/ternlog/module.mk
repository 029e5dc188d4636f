PROGRAMS += ternlog
ternlog_SRCS := $(sort $(wildcard tools/ternlog/*.cc)) tools/common/log_files.cc tools/common/log_line.cc tools/common/time_words.cc
ternlog_LIBS := libqueue libipc libmail libnet libconf libutil
