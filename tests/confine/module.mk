# Makes system calls in the name of a running process, for tests/system/05-confine; not installed.
PROGRAMS += test-confine
test-confine_SRCS := $(wildcard tests/confine/*.cc)
test-confine_LIBS := libutil
