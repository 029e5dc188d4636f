PROGRAMS += auth-pam
auth-pam_SRCS := $(wildcard auth-pam/*.cc)
auth-pam_LIBS := libipc libmail libnet libconf libutil
auth-pam_DEPS := pam
