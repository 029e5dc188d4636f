// The unique ids of POP3's UIDL, made of UIDVALIDITY and UID by a format: RFC 1939 §7.
//
// A format is text with variables, written as Dovecot's pop3_uidl_format has them, so that clients
// keep what they know of their mail when it moves here: "%u" and "%v" in decimal, "%08Xu" in
// hexadecimal with eight digits; or "%{uid}", "%{uidvalidity}", "%{uid | hex(8)}"; "%%" is "%".
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

constexpr std::size_t max_uidl_length = 70;          // RFC 1939 §7
constexpr std::size_t max_uidl_format_length = 200;

class UidlFormat {
public:
    // Invalid: an unknown variable; characters outside 0x21 to 0x7E; no uid in it, so that two
    // messages would have one id; ids that could be longer than max_uidl_length.
    static util::Result<UidlFormat> parse(std::string_view text);

    void append(std::string& out, std::uint32_t uid_validity, std::uint32_t uid) const;

private:
    enum class Kind : std::uint8_t { Text, Uid, UidValidity };
    struct Piece {
        Kind kind = Kind::Text;
        bool hexadecimal = false;
        std::size_t width = 0;      // at least so many digits
        std::string text = {};
    };

    util::Result<void> add_text(char c);
    util::Result<void> add_short(std::string_view text, std::size_t& at);
    util::Result<void> add_long(std::string_view text, std::size_t& at);
    std::size_t longest() const;

    std::vector<Piece> pieces_;
};

}  // namespace mail
