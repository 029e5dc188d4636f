PROGRAMS += pickup
pickup_LIBS := libqueue libipc libmail libnet libconf libutil
