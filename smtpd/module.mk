PROGRAMS += smtpd
smtpd_SRCS := $(wildcard smtpd/*.cc)
smtpd_LIBS := libipc libmail libnet libconf libutil
