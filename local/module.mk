PROGRAMS += local
local_SRCS := $(wildcard local/*.cc)
local_LIBS := librouting libqueue libipc libmail libnet libconf libutil
