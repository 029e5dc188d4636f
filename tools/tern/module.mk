PROGRAMS += tern
tern_SRCS := $(sort $(wildcard tools/tern/*.cc)) tools/ternconf/sections.cc tools/ternconf/unused.cc \
    tools/common/live_sessions.cc tools/common/log_files.cc tools/common/log_line.cc tools/common/queue_access.cc tools/common/table_text.cc tools/common/time_words.cc
tern_LIBS := libtrust libqueue libipc librouting libmail libnet libconf libutil
