// errands/keeper.h: orders become processes; the test is local.
#include "errands/keeper.h"

#include "libipc/connection.h"
#include "libutil/orphans.h"
#include "libutil/sys.h"
#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

#include <csignal>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using ipc::Disposition;
using util::concat;

class Post {
public:
    explicit Post(std::string aliases, errands::Settings settings = {}) : loop(util::EventLoop::create().take())
    {
        auto opened = conf::Tables::open({std::move(aliases)});
        OK(opened);
        tables = opened.take();
        auto none = conf::Tables::open({});
        OK(none);
        empty = none.take();
        errands::Rules rules;
        rules.lists.aliases = &tables;
        rules.lists.users.own_uid = true;
        rules.lists.default_user = {.name = {}, .uid = ::geteuid(), .gid = ::getegid(), .home = {}, .shell = {}};
        rules.mailbox_commands = &empty;
        rules.process_limit = 54'321;
        rules.command_filter = "abcdefghijklmnopqrstuvwxyz@.+";
        keeper = std::make_unique<errands::Keeper>(loop, settings, std::move(rules));
        children = util::SignalWatch(loop, SIGCHLD, [this] { keeper->reap(); });
        auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
        OK(pair);
        keeper->accept(std::move(pair->first), [this] { ++gone; });
        local = ipc::Connection(std::move(pair->second));
    }

    template <typename Message>
    Message next()
    {
        for (util::Deadline limit = util::Deadline::in(std::chrono::seconds(20)); !limit.passed();) {
            auto packet = ipc::receive_packet(local.fd(), MSG_DONTWAIT);
            if (packet.ok()) {
                ck_assert(packet->has_value());
                auto message = ipc::decode<Message>(**packet);
                OK(message);
                return message.take();
            }
            loop.run_for(std::chrono::milliseconds(2));
        }
        ck_abort_msg("nothing came");
    }

    static ipc::RunEntry order(std::uint64_t request, const std::string& alias, std::string_view value, std::uint32_t entry = 0)
    {
        ipc::RunEntry made;
        made.request = request;
        made.place = {.kind = ipc::Place::Kind::Alias, .name = alias, .extension = {}, .steps = {}};
        made.entry = entry;
        made.version = ipc::version_of(*mail::parse_destinations(value, 100));
        made.sender = "from@example.com";
        made.recipient = made.delivered_to = "alias@example.org";
        made.content = "Subject: x\r\n\r\nbody\r\n";
        made.size = made.content.size();
        return made;
    }
    ipc::ErrandDone run(const std::string& alias, std::string_view value, std::uint32_t entry = 0)
    {
        OK(local.send(order(++requests, alias, value, entry)));
        auto done = next<ipc::ErrandDone>();
        EQ(done.request, requests);
        return done;
    }

    conf::Tables tables, empty;
    util::EventLoop loop;
    std::unique_ptr<errands::Keeper> keeper;
    util::SignalWatch children;
    ipc::Connection local;
    std::uint64_t requests = 0;
    std::size_t gone = 0;
};

TEST(commands_end_with_a_status)
{
    test::TempDir dir;
    std::string command = concat("\"|cat > ", dir / "letter", "\""), fails = "\"|echo no such place; exit 67\"";
    Post post(concat("inline:{{x=", command, "} {y=", fails, "} {z=|kill -9 $$}}"));
    auto done = post.run("x", command);
    EQ(done.status.disposition, Disposition::Delivered);
    auto letter = util::sys::read_file(dir / "letter", 1000);
    OK(letter);
    THAT(letter->starts_with("From from@example.com  "));
    THAT(letter->ends_with("Delivered-To: alias@example.org\nSubject: x\n\nbody\n"));
    done = post.run("y", fails);
    EQ(done.status.disposition, Disposition::Bounced);
    EQ(done.status.text, "user unknown. Command output: no such place");
    done = post.run("z", "|kill -9 $$");
    EQ(done.status.disposition, Disposition::Deferred);
    EQ(post.keeper->processes(), 0u);
}
END_TEST

TEST(an_order_for_another_list_than_there_is_waits)
{
    Post post("inline:{{x=\"|exit 0\"}}");
    for (auto done : {post.run("x", "|exit 1"), post.run("nobody", "|exit 0"), post.run("x", "|exit 0", 1)}) {
        EQ(done.status.disposition, Disposition::Deferred);
        EQ(done.status.text, "the list was changed meanwhile");
    }
    EQ(post.run("x", "|exit 0").status.disposition, Disposition::Delivered);
}
END_TEST

TEST(who_takes_too_long_is_killed_with_all_that_it_started)
{
    test::TempDir dir;
    std::string command = concat("\"|sleep 100 & echo $! > ", dir / "child", "; echo begun; sleep 100\"");
    Post post(concat("inline:{{x=", command, "}}"), {.process_limit = 5, .time_limit = std::chrono::milliseconds(300)});
    auto done = post.run("x", command);
    EQ(done.status.disposition, Disposition::Bounced);
    THAT(done.status.text.starts_with("Command time limit exceeded: "));
    auto child = util::sys::read_file(dir / "child", 100);
    OK(child);
    std::string stat = concat("/proc/", util::trim(*child), "/stat");
    for (util::Deadline limit = util::Deadline::in(std::chrono::seconds(20));;) {
        auto state = util::sys::read_file(stat, 1000);
        if (!state.ok() || state->find(") Z ") != std::string::npos)
            break;
        ck_assert_msg(!limit.passed(), "the child lives");
        post.loop.run_for(std::chrono::milliseconds(2));
    }
}
END_TEST

TEST(more_orders_than_processes_wait)
{
    Post post("inline:{{x=\"|sleep 0.05\"}}", {.process_limit = 2, .time_limit = std::chrono::seconds(20)});
    for (std::uint64_t i = 1; i <= 6; ++i)
        OK(post.local.send(Post::order(i, "x", "|sleep 0.05")));
    for (int i = 0; i < 6; ++i) {
        auto done = post.next<ipc::ErrandDone>();
        EQ(done.status.disposition, Disposition::Delivered);
        THAT(post.keeper->processes() <= 2);
    }
}
END_TEST

TEST(lists_are_read_while_commands_fill_the_house)
{
    Post post("inline:{{x=\"|sleep 100\"}}", {.process_limit = 1, .time_limit = std::chrono::seconds(100)});
    for (std::uint64_t i = 1; i <= 2; ++i)
        OK(post.local.send(Post::order(i, "x", "|sleep 100")));
    ipc::ReadList wanted;
    wanted.request = 3;
    wanted.place = {.kind = ipc::Place::Kind::Alias, .name = "x", .extension = {}, .steps = {}};
    OK(post.local.send(wanted));
    EQ(post.next<ipc::ListPart>().request, 3u);
    post.keeper->stop([] {});
    EQ(post.next<ipc::ErrandDone>().request, 2u);   // that had not begun
    post.keeper->kill_all();
    EQ(post.next<ipc::ErrandDone>().status.disposition, Disposition::Deferred);
}
END_TEST

TEST(one_party_leaves_room_for_others)
{
    Post post("inline:{{x=\"|sleep 100\"} {y=\"|true\"}}", {.process_limit = 10, .time_limit = std::chrono::seconds(100)});
    for (std::uint64_t i = 1; i <= 20; ++i)
        OK(post.local.send(Post::order(i, "x", "|sleep 100")));
    OK(post.local.send(Post::order(21, "y", "|true")));
    EQ(post.next<ipc::ErrandDone>().request, 21u);
    EQ(post.keeper->processes(), 2u);
    post.keeper->kill_all();
}
END_TEST

TEST(what_is_forgotten_before_it_began_is_not_done)
{
    test::TempDir dir;
    std::string writes = concat("|echo >> ", dir / "done");
    Post post(concat("inline:{{x=\"|sleep 0.2\"} {y=\"", writes, "\"} {z=\"|true\"}}"),
              {.process_limit = 1, .time_limit = std::chrono::seconds(100)});
    OK(post.local.send(Post::order(1, "x", "\"|sleep 0.2\"")));
    OK(post.local.send(Post::order(2, "y", concat("\"", writes, "\""))));
    OK(post.local.send(ipc::ForgetErrand{2}));
    OK(post.local.send(Post::order(3, "z", "\"|true\"")));
    EQ(post.next<ipc::ErrandDone>().request, 1u);
    auto last = post.next<ipc::ErrandDone>();
    EQ(last.request, 3u);
    EQ(last.status.disposition, Disposition::Delivered);
    EQ(util::sys::stat(dir / "done").ok(), false);
}
END_TEST

TEST(what_is_over_the_limit_of_waiting_orders_is_deferred)
{
    Post post("inline:{{x=\"|sleep 100\"}}", {.process_limit = 1, .time_limit = std::chrono::seconds(100)});
    for (std::uint64_t i = 1; i <= errands::max_waiting + 2; ++i) {
        OK(post.local.send(Post::order(i, "x", "|sleep 100")));
        post.loop.run_ready();
    }
    auto done = post.next<ipc::ErrandDone>();
    EQ(done.request, errands::max_waiting + 2);
    EQ(done.status.text, "too many errands at once");
    EQ(done.status.disposition, Disposition::Deferred);
    EQ(ipc::receive_packet(post.local.fd(), MSG_DONTWAIT).ok(), false);
    post.keeper->kill_all();
}
END_TEST

TEST(much_output_is_read_and_little_kept)
{
    std::string command = "\"|head -c 1000000 /dev/zero | tr '\\\\0' x; exit 1\"";
    Post post(concat("inline:{{x=", command, "}}"));
    auto done = post.run("x", command);
    EQ(done.status.disposition, Disposition::Bounced);
    THAT(done.status.text.size() > 1000 && done.status.text.size() < 3000);
}
END_TEST

TEST(peers_that_send_nonsense_are_dropped_and_the_end_is_awaited)
{
    Post post("inline:{{x=\"|sleep 0.2\"}}");
    OK(post.local.send(Post::order(1, "x", "|sleep 0.2")));
    while (post.keeper->processes() == 0)
        post.loop.run_for(std::chrono::milliseconds(2));
    OK(post.local.send(ipc::AgentGreeting{}));
    while (post.gone == 0)
        post.loop.run_for(std::chrono::milliseconds(2));
    bool over = false;
    post.keeper->stop([&] { over = true; });
    EQ(over, false);
    for (util::Deadline limit = util::Deadline::in(std::chrono::seconds(20)); !over && !limit.passed();)
        post.loop.run_for(std::chrono::milliseconds(2));
    THAT(over);
}
END_TEST

TEST(lists_are_read)
{
    Post post("inline:{{x=a@example.org, b}}");
    ipc::ReadList wanted;
    wanted.request = 9;
    wanted.place = {.kind = ipc::Place::Kind::Alias, .name = "x", .extension = {}, .steps = {}};
    OK(post.local.send(wanted));
    auto part = post.next<ipc::ListPart>();
    EQ(part.request, 9u);
    EQ(part.result, ipc::ListPart::Result::Found);
    EQ(part.destinations.size(), 2u);
    EQ(part.last, true);
    wanted.place.kind = ipc::Place::Kind::Forward;
    wanted.place.name = "no-such-user-here";
    OK(post.local.send(wanted));
    EQ(post.next<ipc::ListPart>().result, ipc::ListPart::Result::NoUser);
}
END_TEST

TEST(a_command_may_have_so_many_processes)
{
    test::TempDir dir;
    std::string value = concat("\"|grep 'Max processes' /proc/self/limits > ", dir / "limits", "\"");
    Post post(concat("inline:{ { a = ", value, " } }"));
    EQ(post.run("a", value).status.disposition, Disposition::Delivered);
    auto text = util::sys::read_file(dir / "limits", 1000);
    THAT(text->find("54321") != std::string::npos);
}
END_TEST

TEST(nothing_of_a_command_goes_on_when_it_is_over)
{
    OK(util::adopt_orphans());
    auto children = [] {
        auto text = util::sys::read_file(concat("/proc/self/task/", ::getpid(), "/children"), 4096);
        return util::split_words(text.ok() ? std::string_view(*text) : std::string_view(), " \n").size();
    };
    // In its group, in a session of its own, and one that a command which goes on has left to itself.
    std::string leaves = "\"|sleep 7777 > /dev/null 2>&1 & setsid sleep 7777 > /dev/null 2>&1 & exit 0\"";
    std::string stays = "\"|(sleep 7777 > /dev/null 2>&1 &); sleep 7777\"";
    Post post(concat("inline:{ { a = ", leaves, " } { b = ", stays, " } }"));
    OK(post.local.send(Post::order(77, "b", stays)));
    for (int i = 0; i < 500 && children() < 2; ++i)
        post.loop.run_for(std::chrono::milliseconds(10));
    EQ(children(), 2u);   // the shell, and what it has orphaned
    EQ(post.run("a", leaves).status.disposition, Disposition::Delivered);
    for (int i = 0; i < 500 && children() > 2; ++i)
        post.loop.run_for(std::chrono::milliseconds(10));
    EQ(children(), 2u);
    EQ(post.keeper->processes(), 1u);
    post.keeper->kill_all();
    for (int i = 0; i < 500 && children() > 0; ++i)
        post.loop.run_for(std::chrono::milliseconds(10));
    EQ(children(), 0u);
}
END_TEST

SUITE(keeper, a_command_may_have_so_many_processes, nothing_of_a_command_goes_on_when_it_is_over,
      what_is_forgotten_before_it_began_is_not_done, one_party_leaves_room_for_others, commands_end_with_a_status,
      an_order_for_another_list_than_there_is_waits, who_takes_too_long_is_killed_with_all_that_it_started,
      more_orders_than_processes_wait, lists_are_read_while_commands_fill_the_house,
      what_is_over_the_limit_of_waiting_orders_is_deferred, much_output_is_read_and_little_kept,
      peers_that_send_nonsense_are_dropped_and_the_end_is_awaited, lists_are_read)

}  // namespace
