// The POP3 dialogues in memory.
#include "pop3d/engine/session.h"
#include "tests/unit/dialog/dialog_runner.h"
#include "tests/unit/libstore/fixture.h"
#include "tests/unit/suite.h"

TEST(every_pop3_dialogue)
{
    auto make = [](store::Store& store, const test::DialogSetup&) {
        pop3d::engine::SessionFacts facts;
        facts.login_capabilities = "USER\r\nSASL PLAIN\r\n";
        return std::make_unique<pop3d::engine::Session>(store, std::move(facts));
    };
    EQ(test::run_dialogs("tests/dialog/pop3", make), "");
}
END_TEST

SUITE(pop3_dialogues, every_pop3_dialogue)
