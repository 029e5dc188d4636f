// The IMAP dialogues in memory.
#include "imapd/engine/session.h"
#include "tests/unit/dialog/dialog_runner.h"
#include "tests/unit/suite.h"

TEST(every_imap_dialogue)
{
    auto make = [](store::Store& store, const test::DialogSetup& setup) {
        imapd::engine::SessionFacts facts;
        facts.limits.message = setup.message_limit;
        return std::make_unique<imapd::engine::Session>(store, facts);
    };
    EQ(test::run_dialogs("tests/dialog/imap", make), "");
}
END_TEST

SUITE(imap_dialogues, every_imap_dialogue)
