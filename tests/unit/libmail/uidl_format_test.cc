// The formats of POP3's unique ids.
#include "libmail/uidl_format.h"

#include "tests/unit/suite.h"

namespace {

std::string made_uidl(std::string_view text, std::uint32_t uid_validity = 1700000000, std::uint32_t uid = 60)
{
    auto format = mail::UidlFormat::parse(text);
    if (!format.ok())
        return "!" + format.error().text;
    std::string out;
    format->append(out, uid_validity, uid);
    return out;
}

bool refused(std::string_view text)
{
    return made_uidl(text).starts_with("!");
}

}  // namespace

TEST(formats_of_other_servers_make_their_ids)
{
    EQ(made_uidl("%v.%u"), "1700000000.60");
    EQ(made_uidl("%08Xu%08Xv"), "0000003c6553f100");
    EQ(made_uidl("UID%u-%v"), "UID60-1700000000");
    EQ(made_uidl("%v-%u"), "1700000000-60");
    EQ(made_uidl("%u"), "60");
    EQ(made_uidl("%{uid | hex(8)}%{uidvalidity | hex(8)}"), "0000003c6553f100");
    EQ(made_uidl("%{uidvalidity}.%{uid|hex}"), "1700000000.3c");
    EQ(made_uidl("%%%03u"), "%060");
    EQ(made_uidl("%Xu", 1, UINT32_MAX), "ffffffff");
    EQ(made_uidl("%02Xu", 1, UINT32_MAX), "ffffffff");
}
END_TEST

TEST(ids_are_unique_and_printable)
{
    for (auto text : {"", "%v", "%f", "%g.%u", "%u %v", "%u\x7f", "%u\xc3\xa4", "%", "%u%", "%8Xu", "%{uid", "%{guid}",
                      "%{uid | hex(}", "%{uid | hex()}", "%{uid | hex(8}", "%{uid | hex(8x)}", "%{uid | upper}", "%0"})
        THAT(refused(text));
    EQ(made_uidl("%f"), "!unknown variable \"%f\": there are %u and %v, as %08Xu or %{uid | hex(8)}, too");
}
END_TEST

TEST(ids_have_seventy_characters_at_most)
{
    EQ(made_uidl(std::string(60, 'x') + "%u").size(), 62U);
    THAT(refused(std::string(61, 'x') + "%u"));
    EQ(made_uidl("%070Xu").size(), 70U);
    THAT(refused("%071Xu"));
    THAT(refused("%099999999999999999999999999999999999Xu"));
}
END_TEST

SUITE(uidl_format, formats_of_other_servers_make_their_ids, ids_are_unique_and_printable,
      ids_have_seventy_characters_at_most)
