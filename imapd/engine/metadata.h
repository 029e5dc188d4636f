// Annotations as clients name them: entries of RFC 5464.
#pragma once

#include "imapd/syntax/scanner.h"
#include "libstore/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imapd::engine {

constexpr std::size_t max_entries = 200;            // of one command
constexpr std::size_t max_entry_name = 512;
// Of one mailbox, or of the account: those that one user sees.  RFC 5464 §4.1: at least 10.
constexpr std::size_t max_user_annotations = 200;

// In lower case.  Invalid: no such name may be (RFC 5464 §3.2).
util::Result<std::string> annotation_entry(std::string_view given);

// What GETMETADATA, or LIST with METADATA, asks for.
struct AnnotationWish {
    enum class Depth : unsigned char { Zero, One, Infinity };

    std::string mailbox;                      // empty: the server
    std::uint64_t max_size = UINT64_MAX;
    Depth depth = Depth::Zero;
    std::vector<std::string> entries;

    // Is the annotation of this name asked for by this entry?
    bool covers(std::string_view entry, std::string_view name) const;
};

util::Result<AnnotationWish> parse_getmetadata(syntax::Scanner& arguments);
// One entry, or several in parentheses.
util::Result<std::vector<std::string>> parse_entries(syntax::Scanner& arguments);
// NIL, a string, or a literal8 where there are NUL bytes.
void append_annotation_value(std::string& out, const std::optional<std::string>& value);

}  // namespace imapd::engine
