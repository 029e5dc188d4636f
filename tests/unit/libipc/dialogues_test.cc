#include "libipc/dialogues.h"
#include "tests/unit/suite.h"

namespace {

TEST(each_network_has_its_places_and_gets_them_back)
{
    ipc::Dialogues dialogues;
    auto first = dialogues.enter("192.0.2.1", 2);
    auto second = dialogues.enter("192.0.2.1", 2);
    THAT(first && second && !dialogues.enter("192.0.2.1", 2));
    THAT(dialogues.enter("192.0.2.2", 2) != nullptr);
    EQ(dialogues.networks(), 1u);
    first = std::move(second);   // one is given up
    second = dialogues.enter("192.0.2.1", 2);
    THAT(second && !dialogues.enter("192.0.2.1", 2));
    first.reset();
    EQ(dialogues.networks(), 1u);
    second.reset();
    EQ(dialogues.networks(), 0u);
}
END_TEST

}  // namespace

SUITE(dialogues, each_network_has_its_places_and_gets_them_back)
