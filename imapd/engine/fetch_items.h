// The arguments of FETCH: RFC 9051 §6.4.5.
#pragma once

#include "imapd/engine/partial.h"
#include "imapd/syntax/scanner.h"
#include "libmail/imap_render.h"
#include "libstore/types.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace imapd::engine {

constexpr std::size_t max_fetch_items = 200;
constexpr std::size_t max_header_fields = 1000;    // names in HEADER.FIELDS

struct FetchItem {
    enum class Kind : unsigned char {
        Flags, Uid, InternalDate, Size, Envelope, Body, BodyStructure, Section, Binary, BinarySize, Modseq,
        SaveDate, EmailId, ThreadId, Preview
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
    bool has_modseq = false;

    void add_modseq();                     // if it is not there
};

struct FetchModifiers {
    std::optional<store::Lsn> changed_since;   // RFC 7162 §3.1.4.1
    bool vanished = false;                     // RFC 7162 §3.2.6
    std::optional<Partial> partial;            // RFC 9394 §3.3
};

// One item, a macro (ALL, FAST, FULL), or a list.  With `uid_form`, UID is among them always and
// first (RFC 3501 §6.4.8).
util::Result<FetchItems> parse_fetch_items(syntax::Scanner& arguments, bool uid_form);
// What may follow them, with its space.  Two of them belong to UID FETCH alone.
util::Result<FetchModifiers> parse_fetch_modifiers(syntax::Scanner& arguments, bool uid_form);

}  // namespace imapd::engine
