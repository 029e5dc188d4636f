// Parameters of maildrops.
#include "libipc/maildrop_config.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

std::string read_rules(std::string_view text)
{
    ipc::MaildropConfig config;
    auto rules = config.expiry.parse(text);
    if (!rules.ok())
        return "!" + rules.error().text;
    std::string out;
    for (const auto& rule : *rules)
        util::append(out, "[", rule.mailbox, "]", rule.seconds, " ");
    return out;
}

}  // namespace

TEST(times_stand_behind_names)
{
    EQ(read_rules(""), "");
    EQ(read_rules("Trash 30d, \\Junk 2w,INBOX 1h"), "[Trash]2592000 [\\Junk]1209600 [INBOX]3600 ");
    EQ(read_rules("Lists/Old News 90 ,\n * 3650d"), "[Lists/Old News]7776000 [*]315360000 ");
    EQ(read_rules("Trash"), "!a mailbox and a time are wanted, not \"Trash\"");
    EQ(read_rules("30d"), "!a mailbox and a time are wanted, not \"30d\"");
    EQ(read_rules("Trash soon").substr(0, 1), "!");
    EQ(read_rules("Trash 0d"), "!Trash: a time of at least 1s is wanted");
    EQ(read_rules("\\Bin 3d"), "!there is no special use \\\\Bin");
    std::string many;
    for (std::size_t i = 0; i < ipc::max_expiry_rules; ++i)
        many += "Trash 1d,";
    EQ(read_rules(many).substr(0, 7), "[Trash]");
    EQ(read_rules(many + "Trash 1d"), "!more than 100 mailboxes");
}
END_TEST

TEST(pop3_hears_of_the_time_of_inbox)
{
    ipc::MaildropConfig config;
    THAT(!config.inbox_days());
    config.expiry.set({{"Trash", 86'400}});
    THAT(!config.inbox_days());
    config.expiry.set({{"Trash", 86'400}, {"inbox", 86'400 * 30 + 5}, {"*", 1}});
    EQ(*config.inbox_days(), 30);
    config.expiry.set({{"*", 86'399}});
    EQ(*config.inbox_days(), 0);
}
END_TEST

SUITE(maildrop_config, times_stand_behind_names, pop3_hears_of_the_time_of_inbox)
