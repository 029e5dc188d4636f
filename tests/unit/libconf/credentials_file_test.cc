#include "libconf/credentials_file.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <cstdlib>

namespace {

TEST(credentials_come_back_as_they_were_written)
{
    std::vector<conf::Credential> all = {
        {"b@x", "$y$j9T$a$b", "SCRAM-SHA-256$1:a$b:c"}, {"a@x", "{PLAIN}p w", ""}, {"c@x", "", ""}};
    auto text = conf::format_credentials(all);
    OK(text);
    EQ(*text, "# tern credentials 1\na@x:{PLAIN}p w:\nb@x:$y$j9T$a$b:SCRAM-SHA-256$1:a$b:c\nc@x::\n");
    auto back = conf::parse_credentials(*text);
    OK(back);
    EQ(back->size(), 3U);
    THAT((*back)[1] == all[0]);
}
END_TEST

TEST(bad_lines_are_named)
{
    for (const char* text : {"", "# tern credentials 2\n", "# tern credentials 1\na@x\n", "# tern credentials 1\na@x:h\n",
                             "# tern credentials 1\nb@x::\na@x::\n", "# tern credentials 1\na@x::\na@x::\n",
                             "# tern credentials 1\nA@x::\n", "# tern credentials 1\n:h:\n", "# tern credentials 1\na@x::"})
        THAT(!conf::parse_credentials(text).ok());
    EQ(conf::parse_credentials("# tern credentials 1\na@x::\nb\n").error().text, "line 3: not address:hash:verifier");
    THAT(!conf::format_credential_line({"a:b@x", "", ""}).ok());
    THAT(!conf::format_credential_line({"a@x", "a:b", ""}).ok());
    THAT(!conf::format_credential_line({"a@x", "a\nb", ""}).ok());
    THAT(!conf::parse_credential_line("a@x:" + std::string(conf::max_credential_line, 'x') + ":").ok());
}
END_TEST

TEST(the_reader_finds_every_one_and_notices_a_new_file)
{
    char name[] = "/tmp/tern-credentials-XXXXXX";
    THAT(::mkdtemp(name) != nullptr);
    std::string path = std::string(name) + "/credentials";
    conf::CredentialsReader reader(path);
    OK(reader.update());
    THAT(!reader.find("a@x"));
    THAT(!reader.all_have_verifiers());
    for (int count : {1, 2, 3, 10, 101}) {
        std::vector<conf::Credential> all;
        for (int i = 0; i < count; ++i)
            all.push_back({util::concat("u", i, "@x"), util::concat("h", i), "v"});
        OK(util::sys::replace_file(path, conf::format_credentials(all).take()));
        auto changed = reader.update();
        OK(changed);
        THAT(*changed);
        THAT(!*reader.update());
        THAT(reader.all_have_verifiers());
        for (const auto& credential : all) {
            auto found = reader.find(credential.address);
            THAT(found && *found == credential);
        }
        for (const char* absent : {"", "a", "u", "u0", "u0@", "u0@xx", "u1000@x", "z@x"})
            THAT(!reader.find(absent));
    }
    OK(util::sys::replace_file(path, "broken"));
    EQ(reader.update().error().kind, util::Kind::Temporary);
    THAT(!reader.find("u0@x"));
    OK(util::sys::replace_file(path, "# tern credentials 1\na@x:h:v\nb@x:h:\n"));
    OK(reader.update());
    THAT(!reader.all_have_verifiers());
    EQ(reader.first_hash(), "h");
    OK(util::sys::unlink(path));
    OK(util::sys::rmdir(name));
}
END_TEST

}  // namespace

SUITE(credentials_file, credentials_come_back_as_they_were_written, bad_lines_are_named,
      the_reader_finds_every_one_and_notices_a_new_file)
