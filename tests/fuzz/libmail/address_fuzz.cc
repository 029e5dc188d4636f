// Paths, ESMTP parameters, replies: what parses must come back from its own text.
#include "libmail/address.h"
#include "libmail/dsn_status.h"
#include "libmail/esmtp.h"
#include "libmail/reply.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <cstdint>

namespace {

void check_address(const mail::Address& address, bool utf8)
{
    std::string text = mail::to_text(address);
    for (char c : text)
        CHECK(static_cast<unsigned char>(c) >= ' ' && c != 127);
    if (address.is_null())
        return;
    auto again = mail::parse_address(text, utf8);
    CHECK(again.ok() && *again == address);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view input(reinterpret_cast<const char*>(data), size);
    for (bool utf8 : {false, true}) {
        for (bool strict : {false, true}) {
            if (auto path = mail::read_reverse_path(input, {utf8, strict}); path.ok())
                check_address(path->address, utf8);
            auto path = mail::read_forward_path(input, {utf8, strict});
            if (!path.ok())
                continue;
            check_address(path->address, utf8);
            (void)mail::parse_mail_parameters(path->rest, {});
            (void)mail::parse_rcpt_parameters(path->rest, {}, utf8);
        }
        if (auto address = mail::parse_address(input, utf8); address.ok())
            check_address(*address, utf8);
        if (auto rcpt = mail::parse_rcpt_parameters(input, {}, utf8); rcpt.ok() && !rcpt->original_type.empty()) {
            std::string orcpt = mail::orcpt_value(rcpt->original_type, rcpt->original_recipient, utf8);
            auto again = mail::parse_rcpt_parameters(util::concat("ORCPT=", orcpt), {}, utf8);
            CHECK(orcpt.size() > mail::max_original_recipient ||
                  (again.ok() && again->original_recipient == rcpt->original_recipient));
        }
    }
    if (auto mail_from = mail::parse_mail_parameters(input, {.binary_mime = true}); mail_from.ok())
        CHECK(*mail::decode_xtext(mail::encode_xtext(mail_from->envelope_id)) == mail_from->envelope_id);
    (void)mail::split_extension(input, "+-");
    (void)mail::parse_reply_line(input);
    mail::ReplyParser parser;
    for (std::string_view line : util::split(input, '\n'))
        if (auto done = parser.feed(line); done.ok() && *done) {
            std::string wire = mail::to_wire(parser.take());
            CHECK(wire.ends_with("\r\n"));
        }
    (void)mail::describe(input);
    return 0;
}
