// The IMAP dialogues in memory.
#include "imapd/engine/session.h"
#include "tests/unit/dialog/dialog_runner.h"
#include "tests/unit/libstore/fixture.h"
#include "tests/unit/suite.h"

#include <algorithm>
#include <cstdio>

TEST(every_imap_dialogue)
{
    auto directory = util::sys::open("tests/dialog/imap", O_RDONLY | O_DIRECTORY);
    OK(directory);
    auto names = util::sys::list_directory(directory->get()).take();
    std::sort(names.begin(), names.end());
    std::string faults;
    for (const auto& name : names) {
        if (!name.ends_with(".txt"))
            continue;
        test::Directory scratch;
        test::DialogRunner runner(test::open(scratch.beside("store")),
                                  [](store::Store& store, const test::DialogSetup& setup) {
                                      imapd::engine::SessionFacts facts;
                                      facts.user = "user";
                                      facts.limits.message = setup.message_limit;
                                      return std::make_unique<imapd::engine::Session>(store, facts);
                                  });
        auto fault = runner.run("tests/dialog/imap/" + name);
        if (!fault.empty())
            faults += "\n" + fault;
    }
    EQ(faults, "");
}
END_TEST

SUITE(imap_dialogues, every_imap_dialogue)
