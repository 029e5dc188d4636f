// doc/imap-capabilities.tsv and what is announced say the same.
#include "imapd/syntax/capability.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <fstream>
#include <set>
#include <string>

namespace {

std::set<std::string> words(std::string_view text)
{
    std::set<std::string> out;
    for (auto word : util::split(text, ' '))
        out.emplace(word);
    return out;
}

}  // namespace

TEST(what_is_announced_is_what_the_table_has)
{
    auto announced = words(imapd::syntax::session_capabilities);
    auto greeted = words(imapd::syntax::greeting_capabilities);
    announced.insert(greeted.begin(), greeted.end());
    announced.emplace(imapd::syntax::limit_capability);   // where there is a limit
    std::ifstream table("doc/imap-capabilities.tsv");
    std::string line;
    THAT(std::getline(table, line).good());
    std::set<std::string> listed;
    while (std::getline(table, line)) {
        auto columns = util::split(line, '\t');
        EQ(columns.size(), 4);
        if (columns[3] == "yes")
            listed.emplace(columns[0]);
        else
            EQ(columns[3], "no");
    }
    for (const auto& name : announced)
        if (!listed.contains(name))
            EQ(name, "not in the table");
    for (const auto& name : listed)
        if (!announced.contains(name))
            EQ(name, "not announced");
}
END_TEST

SUITE(imap_capabilities, what_is_announced_is_what_the_table_has)
