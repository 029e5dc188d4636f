// What the server can do, as the CAPABILITY response tells it (RFC 3501 §7.2.1); doc/imap-capabilities.tsv
// says where each is.
#pragma once

#include <string_view>

namespace imapd::syntax {

// After log-in; the door says the same in its tagged OK.
constexpr std::string_view session_capabilities =
    "IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN SPECIAL-USE "
    "CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS ESEARCH SEARCHRES WITHIN STATUS=SIZE APPENDLIMIT BINARY "
    "CONDSTORE QRESYNC MULTIAPPEND CATENATE REPLACE SAVEDATE OBJECTID PREVIEW PARTIAL UIDONLY UTF8=ACCEPT "
    "SORT SORT=DISPLAY ESORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS I18NLEVEL=1 COMPRESS=DEFLATE "
    "QUOTA QUOTASET QUOTA=RES-STORAGE QUOTA=RES-MESSAGE QUOTA=RES-MAILBOX SEARCH=FUZZY "
    "METADATA LIST-METADATA ACL RIGHTS=texk LIST-MYRIGHTS INPROGRESS NOTIFY CONTEXT=SEARCH CONTEXT=SORT "
    "UNAUTHENTICATE URLAUTH URLAUTH=BINARY URL-PARTIAL";
// With "=" and the limit behind it, where one is set (RFC 9738 §3).
constexpr std::string_view limit_capability = "MESSAGELIMIT";

// Before log-in, where literals are small (RFC 7888 §5); the door adds STARTTLS, LOGINDISABLED and AUTH=.
constexpr std::string_view greeting_capabilities = "IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE";

}  // namespace imapd::syntax
