// The arguments of FETCH: RFC 3501 §6.4.5.
#pragma once

#include "imapd/syntax/scanner.h"
#include "libmail/imap_render.h"

#include <cstdint>
#include <string>
#include <vector>

namespace imapd::engine {

constexpr std::size_t max_fetch_items = 200;
constexpr std::size_t max_header_fields = 1000;    // names in HEADER.FIELDS

struct FetchItem {
    enum class Kind : unsigned char {
        Flags, Uid, InternalDate, Size, Envelope, Body, BodyStructure, Section
    };
    Kind kind = Kind::Flags;
    mail::Section section;
    bool from_cache = false;               // all fields are such as the header cache holds
    bool partial = false;                  // <offset.length>
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    std::string label;                     // as it stands in the response: "BODY[TEXT]<0>"
};

struct FetchItems {
    std::vector<FetchItem> items;
    bool marks_seen = false;               // BODY[] without PEEK, RFC822, RFC822.TEXT
    bool has_flags = false;
};

// One item, a macro (ALL, FAST, FULL), or a list.  With `uid_form`, UID is among them always and
// first (RFC 3501 §6.4.8).
util::Result<FetchItems> parse_fetch_items(syntax::Scanner& arguments, bool uid_form);

}  // namespace imapd::engine
