// The IMAP dialogues in memory.
#include "imapd/engine/session.h"
#include "libutil/text.h"
#include "tests/unit/dialog/dialog_runner.h"
#include "tests/unit/suite.h"

TEST(every_imap_dialogue)
{
    auto make = [](store::Store& store, const test::DialogSetup& setup) {
        imapd::engine::SessionFacts facts;
        facts.limits.message = setup.message_limit;
        facts.limits.messages = setup.messages;
        facts.url_hosts = {"mail.example.org", "imap.example.org:1143"};
        facts.user = "owner@example.org";
        facts.server_comment = "A place for mail";
        facts.server_admin = "mailto:postmaster@example.org";
        if (char name = setup.session.front(); name >= 'A' && name <= 'Z') {
            facts.guest = util::concat(char(name - 'A' + 'a'), "@example.org");
            facts.guest_prefix = "Other Users/owner@example.org/";
        }
        return std::make_unique<imapd::engine::Session>(store, facts);
    };
    EQ(test::run_dialogs("tests/dialog/imap", make), "");
}
END_TEST

SUITE(imap_dialogues, every_imap_dialogue)
