PROGRAMS += tables
tables_SRCS := $(wildcard tables/*.cc)
tables_LIBS := librouting libipc libmail libnet libconf libutil
