// tables/answers.h, libipc/table_lookup.h, and proxy: and unix: tables of libconf.
#include "libipc/connection.h"
#include "libutil/sys.h"
#include "tables/answers.h"
#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

#include <csignal>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Result = ipc::LookUpAnswer::Result;

std::string ask(tables::Answers& answers, std::string table, std::string key, bool domain = false)
{
    ipc::LookUp question;
    question.table = std::move(table);
    question.key = std::move(key);
    question.domain = domain;
    auto answer = answers.answer(question);
    const char* words[] = {"found ", "not found", "failed ", "refused "};
    return util::concat(words[std::size_t(answer.result)], answer.value);
}

TEST(only_tables_of_the_list_are_looked_into)
{
    auto answers =
        tables::Answers::open({"proxy:inline:{a=1}", "inline:{b=2}", "proxy:inline:{a=1}", "example.org", "proxy:fail:x"});
    OK(answers);
    EQ(answers->size(), 2u);
    EQ(ask(*answers, "inline:{a=1}", "a"), "found 1");
    EQ(ask(*answers, "inline:{a=1}", "b"), "not found");
    EQ(ask(*answers, "inline:{b=2}", "b"), "refused it is not in proxy_read_maps");
    EQ(ask(*answers, "texthash:/etc/shadow", "root"), "refused it is not in proxy_read_maps");
    EQ(ask(*answers, "fail:x", "a"), "failed table fail:x");
    EQ(tables::Answers::open({"proxy:nonsense:x"}).ok(), false);
}
END_TEST

TEST(an_answer_has_a_limit)
{
    std::string most = util::concat("static:", std::string(ipc::max_remote_value, 'x'));
    auto answers = tables::Answers::open(
        {util::concat("proxy:", most), util::concat("proxy:", most, "x"), "proxy:texthash:/etc/some/table"});
    OK(answers);
    THAT(ask(*answers, most, "a").starts_with("found x"));
    THAT(ask(*answers, most + "x", "a").starts_with("failed an answer of more than"));
    EQ(answers->directories().size(), 1u);
    EQ(answers->directories()[0], "/etc/some");
}
END_TEST

TEST(users_and_groups_are_tables)
{
    auto users = conf::open_table("unix:passwd.byname");
    OK(users);
    auto root = (*users)->lookup("root");
    OK(root);
    THAT(root->has_value() && (*root)->starts_with("root:x:0:0:"));
    EQ((*users)->lookup("root@example.org")->has_value(), false);
    EQ((*users)->lookup("no-such-user-here")->has_value(), false);
    auto groups = conf::open_table("unix:group.byname");
    OK(groups);
    THAT((*groups)->lookup("root")->value().starts_with("root:x:0:"));
    EQ(conf::open_table("unix:shadow.byname").ok(), false);
}
END_TEST

// A server in a process of its own, which answers `count` questions on each connection.
class Server {
public:
    explicit Server(const std::string& path, int count) : listener_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0))
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        CHECK(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
              ::listen(listener_.get(), 5) == 0);
        pid_ = ::fork();
        if (pid_ == 0)
            serve(count);
    }
    ~Server()
    {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

private:
    [[noreturn]] void serve(int count)
    {
        auto answers = tables::Answers::open({"proxy:inline:{a=1}"});
        for (;;) {
            ipc::Connection client(util::UniqueFd(::accept(listener_.get(), nullptr, nullptr)));
            for (int i = 0; i < count; ++i) {
                auto question = client.receive_as<ipc::LookUp>();
                if (!question.ok() || !client.send(answers->answer(*question)).ok())
                    break;
            }
        }
    }

    util::UniqueFd listener_;
    pid_t pid_;
};

TEST(proxy_tables_ask_and_ask_again_on_a_new_connection)
{
    test::TempDir dir;
    Server server(dir / "socket", 2);
    conf::set_remote_lookup(ipc::remote_tables(dir / "socket", std::chrono::seconds(20)));
    auto table = conf::open_table("proxy:inline:{a=1}");
    OK(table);
    for (int i = 0; i < 5; ++i) {
        auto answer = (*table)->lookup("a");
        OK(answer);
        EQ(answer->value_or("none"), "1");
    }
    EQ((*table)->lookup("b")->has_value(), false);
    auto other = conf::open_table("proxy:inline:{c=1}");
    OK(other);
    auto refused = (*other)->lookup("c");
    EQ(refused.ok(), false);
    EQ(refused.error().text, "table proxy:inline:{c=1}: it is not in proxy_read_maps");
    // Nobody there.
    conf::set_remote_lookup(ipc::remote_tables(dir / "nobody", std::chrono::seconds(20)));
    EQ((*table)->lookup("a").error().kind, util::Kind::Temporary);
    conf::set_remote_lookup({});
    EQ((*table)->lookup("a").error().kind, util::Kind::Temporary);
    // An address is no user's name: that is not asked.
    auto users = conf::open_table("proxy:unix:passwd.byname");
    OK(users);
    EQ((*users)->lookup("a@example.org")->has_value(), false);
}
END_TEST

SUITE(answers, only_tables_of_the_list_are_looked_into, an_answer_has_a_limit, users_and_groups_are_tables,
      proxy_tables_ask_and_ask_again_on_a_new_connection)

}  // namespace
