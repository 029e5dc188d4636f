# Which servers a destination has: of smtp(8), and of tern-tlscheck(1), which shows what smtp(8) would do.
LIBRARIES += smtp/site
smtp/site_USES := libtrust libipc libmail libnet libconf libutil
