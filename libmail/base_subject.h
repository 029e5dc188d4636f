// The subject of a message without what replies and forwards put around it: RFC 5256 §2.1.
#pragma once

#include <string>
#include <string_view>

namespace mail {

struct BaseSubject {
    std::string text;            // UTF-8; empty if there is nothing else
    bool is_reply = false;       // "Re:", "Fwd:", "(fwd)" or "[fwd: ..]" was there
};

// Of a Subject field's value, as it stands in the header.
BaseSubject base_subject(std::string_view value);

}  // namespace mail
