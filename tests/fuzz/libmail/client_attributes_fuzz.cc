// XCLIENT and XFORWARD: what is taken is bounded and printable, and merging it changes nothing.
#include "libmail/client_attributes.h"
#include "libutil/check.h"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string_view input(reinterpret_cast<const char*>(data), size);
    for (auto command : {mail::ClientCommand::Xclient, mail::ClientCommand::Xforward}) {
        auto all = mail::parse_client_attributes(command, input);
        if (!all.ok()) {
            CHECK(!all.error().text.empty());
            continue;
        }
        for (const auto& value : {all->name, all->reverse_name, all->address, all->port, all->protocol, all->helo, all->login,
                                  all->destination_address, all->destination_port, all->ident, all->source}) {
            if (!value)
                continue;
            CHECK(value->text.size() <= mail::ClientAttributes::max_value);
            CHECK(std::ranges::all_of(value->text, [](char c) { return c >= ' ' && c < 127; }));
            CHECK(value->text.empty() != (value->kind == mail::ClientAttribute::Kind::Known));
        }
        mail::ClientAttributes twice = *all;
        twice.merge(*all);
        CHECK(twice == *all);
    }
    return 0;
}
