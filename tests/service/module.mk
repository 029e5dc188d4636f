# A service for tests of the process skeleton, of master(8) and of the sandbox; not installed.
PROGRAMS += test-service
test-service_SRCS := $(wildcard tests/service/*.cc)
test-service_LIBS := libipc libmail libnet libconf libutil
