# Fills a queue directory with messages, for tests of large queues; not installed.
PROGRAMS += test-queue
test-queue_SRCS := $(wildcard tests/queue/*.cc)
test-queue_LIBS := libqueue libipc libmail libnet libconf libutil
