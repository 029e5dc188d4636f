// Capabilities of IMAP that some do not hear of.
#include "libipc/capability_rules.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

std::string read(std::string_view text)
{
    conf::Section section;
    ipc::CapabilityRules parameter(&section, "imapd_discard_capabilities", "", "");
    auto rules = parameter.parse(text);
    if (!rules.ok())
        return "!" + rules.error().text;
    std::string out;
    for (const auto& rule : *rules) {
        util::append(out, int(rule.whom), "[", rule.pattern, "]");
        for (const auto& name : rule.names)
            util::append(out, " ", name);
        out += ";";
    }
    return out;
}

}  // namespace

TEST(rules_are_for_everybody_users_or_clients)
{
    EQ(read(""), "");
    EQ(read("uidonly NOTIFY, client=*Outlook* MOVE,\n user=a@b COMPRESS=DEFLATE ,"),
       "0[] UIDONLY NOTIFY;2[*Outlook*] MOVE;1[a@b] COMPRESS=DEFLATE;");
    EQ(read("client=*Outlook*"), "!which capabilities, behind client=*Outlook*?");
    EQ(read("user= MOVE"), "!a pattern is missing behind user=");
    EQ(read("IMAP4rev1"), "!IMAP4rev1 is no capability that clients can do without");
    EQ(read("MO*VE"), "!MO*VE is no capability that clients can do without");
    std::string many;
    for (std::size_t i = 0; i < ipc::max_capability_rules; ++i)
        many += "MOVE,";
    EQ(read(many).substr(0, 8), "0[] MOVE");
    EQ(read(many + "MOVE"), "!more than 100 rules");
}
END_TEST

TEST(patterns_have_stars_and_question_marks)
{
    using ipc::fits_pattern;
    THAT(fits_pattern("*outlook*", "Microsoft Outlook"));
    THAT(fits_pattern("a?c*", "ABC") && fits_pattern("*", "") && fits_pattern("", "") && fits_pattern("a*b*c", "a12b3b4c"));
    THAT(!fits_pattern("a?c", "ac") && !fits_pattern("", "a") && !fits_pattern("a", "ab") && !fits_pattern("*b", "ba"));
    // No text takes long.
    THAT(!fits_pattern("*a*a*a*a*a*a*a*a*a*a*b", std::string(10'000, 'a')));
}
END_TEST

SUITE(capability_rules, rules_are_for_everybody_users_or_clients, patterns_have_stars_and_question_marks)
