PROGRAMS += anvil
anvil_SRCS := $(wildcard anvil/*.cc)
anvil_LIBS := libipc libmail libnet libconf libutil
