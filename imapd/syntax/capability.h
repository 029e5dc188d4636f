// What the server can do, as the CAPABILITY response tells it (RFC 3501 §7.2.1).
#pragma once

#include <string_view>

namespace imapd::syntax {

// After log-in; the door says the same in its tagged OK.
constexpr std::string_view session_capabilities =
    "IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN SPECIAL-USE "
    "CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS ESEARCH STATUS=SIZE";

// Before log-in; the door adds STARTTLS, LOGINDISABLED and AUTH=.
constexpr std::string_view greeting_capabilities = "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE";

}  // namespace imapd::syntax
