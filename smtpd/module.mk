PROGRAMS += smtpd
smtpd_SRCS := $(wildcard smtpd/*.cc)
smtpd_LIBS := librouting libipc libmail libnet libconf libutil
