PROGRAMS += local
local_SRCS := $(wildcard local/*.cc)
local_LIBS := libqueue libipc libmail libnet libconf libutil
