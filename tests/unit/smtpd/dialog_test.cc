#include "libutil/log.h"
#include "tests/unit/smtpd/dialog.h"
#include "tests/unit/suite.h"

namespace {

TEST(all_dialogues_go_as_written)
{
    util::log::to_nowhere();
    EQ(test::run_smtp_dialogs("tests/dialog/smtp"), "");
}
END_TEST

TEST(a_dialogue_that_is_wrong_is_noticed)
{
    util::log::to_nowhere();
    EQ(test::run_smtp_dialog_text("<- 220 nonsense\n", "x"),
       "x:1: got:    220 mx.example.org ESMTP Tern\nwanted: 220 nonsense");
}
END_TEST

}  // namespace

SUITE(smtp_dialog, all_dialogues_go_as_written, a_dialogue_that_is_wrong_is_noticed)
