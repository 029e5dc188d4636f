// Copies of the process that read, and the index that one of them fills.
#include "mailbox/search_room.h"

#include "tests/unit/dialog/scratch_store.h"
#include "tests/unit/libstore/fixture.h"

#include <csignal>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace test;
using mailbox::CopyProcess;

struct SearchFixture {
    Directory directory;
    util::EventLoop loop = util::EventLoop::create().take();
    bool heard = false;

    std::unique_ptr<CopyProcess> copy(const std::function<void(const CopyProcess::Say&)>& work, mailbox::CopyLimits limits = {},
                                      std::vector<int> kept = {})
    {
        auto own = fences();
        auto started = CopyProcess::start(loop, limits, own, kept, work, [this] { heard = true; });
        OK(started);
        return started.take();
    }
    util::Sandbox fences()
    {
        util::Sandbox sandbox;
        sandbox.read(directory.path);
        OK(sandbox.prepare(util::Sandbox::Mode::Yes));
        return sandbox;
    }
    void wait(const CopyProcess& copy)
    {
        while (!copy.is_over())
            loop.run_once();
    }
};

TEST(a_copy_sees_what_was_and_says_what_it_found)
{
    SearchFixture f;
    std::string state = "as it was";
    auto copy = f.copy([&](const CopyProcess::Say& say) {
        say(state);
        say(std::string(300'000, 'x'));
    });
    state = "as it is";
    f.wait(*copy);
    THAT(f.heard);
    THAT(!copy->failed());
    auto said = copy->take();
    THAT(said.starts_with("as it wasxxx"));
    EQ(said.size(), 300'009u);
    THAT(!copy->has_news());
}
END_TEST

TEST(a_copy_keeps_files_and_nothing_else)
{
    SearchFixture f;
    auto file = util::sys::open(f.directory.path + "/file", O_RDWR | O_CREAT);
    OK(file);
    auto folder = util::sys::open(f.directory.path, O_RDONLY | O_DIRECTORY);
    OK(folder);
    auto pair = util::sys::socket_pair(SOCK_STREAM);
    OK(pair);
    auto other = util::sys::socket_pair(SOCK_STREAM);
    OK(other);
    auto copy = f.copy(
        [&](const CopyProcess::Say& say) {
            for (int fd : {file->get(), folder->get(), pair->first.get(), other->first.get()})
                say(::fcntl(fd, F_GETFD) < 0 ? "closed " : "open ");
        },
        {}, {other->first.get()});
    f.wait(*copy);
    EQ(copy->take(), "open closed closed open ");
}
END_TEST

TEST(a_copy_closes_whatever_number_a_descriptor_has)
{
    SearchFixture f;
    constexpr int batch = int(mailbox::descriptors_at_once);
    constexpr int last = 3 * batch;   // the last that may be
    rlimit limit{};
    THAT(::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max > rlim_t(last));
    limit.rlim_cur = rlim_t(last) + 1;
    THAT(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
    auto pair = util::sys::socket_pair(SOCK_STREAM);
    OK(pair);
    auto file = util::sys::open(f.directory.path + "/file", O_RDWR | O_CREAT);
    OK(file);
    std::vector<util::UniqueFd> far;
    for (int number : {batch + 2, batch + 3, 2 * batch + 2, last})   // the ends of what is looked at with one call
        far.emplace_back(::dup2(pair->first.get(), number));
    far.emplace_back(::dup2(file->get(), batch + 4));
    auto copy = f.copy([&](const CopyProcess::Say& say) {
        for (const auto& one : far)
            say(::fcntl(one.get(), F_GETFD) >= 0 ? "open " : "closed ");
    });
    f.wait(*copy);
    EQ(copy->take(), "closed closed closed closed open ");
}
END_TEST

TEST(a_copy_may_read_the_directory_and_change_nothing)
{
    SearchFixture f;
    if (util::Sandbox::kernel_landlock_abi() < 1)
        return;
    auto fd = util::sys::open(f.directory.path + "/file", O_RDWR | O_CREAT);
    OK(fd);
    auto copy = f.copy([&](const CopyProcess::Say& say) {
        say(util::sys::open(f.directory.path + "/file", O_RDONLY).ok() ? "reads " : "does not read ");
        say(util::sys::open(f.directory.path + "/file", O_RDWR).ok() ? "writes " : "does not write ");
        say(util::sys::open(f.directory.path + "/new", O_RDWR | O_CREAT).ok() ? "makes " : "does not make ");
        say(util::sys::unlink(f.directory.path + "/file").ok() ? "removes " : "does not remove ");
        say(util::sys::open("/etc/passwd", O_RDONLY).ok() ? "leaves" : "stays");
    });
    f.wait(*copy);
    EQ(copy->take(), "reads does not write does not make does not remove stays");
}
END_TEST

TEST(a_copy_that_dies_is_over_and_says_why)
{
    SearchFixture f;
    auto copy = f.copy([](const CopyProcess::Say& say) {
        say("before");
        ::raise(SIGKILL);
    });
    f.wait(*copy);
    EQ(copy->take(), "before");
    THAT(copy->failed());
    THAT(copy->failure().find("signal 9") != std::string::npos);
}
END_TEST

TEST(a_copy_has_a_limit_of_time)
{
    SearchFixture f;
    auto busy = f.copy(
        [](const CopyProcess::Say&) {
            for (volatile bool on = true; on;) {}
        },
        {.time = util::Duration(1'000'000)});
    auto idle = f.copy([](const CopyProcess::Say&) { for (;;) ::pause(); }, {.time = util::Duration(1'000'000)});
    f.wait(*busy);
    f.wait(*idle);
    THAT(busy->failed());
    THAT(idle->failed());
}
END_TEST

TEST(a_copy_ends_with_its_owner)
{
    SearchFixture f;
    auto pair = util::sys::socket_pair(SOCK_STREAM);
    OK(pair);
    auto copy = f.copy([](const CopyProcess::Say&) { for (;;) ::pause(); }, {}, {pair->first.get()});
    pair->first.reset();
    copy.reset();
    char byte;
    EQ(::recv(pair->second.get(), &byte, 1, 0), 0);   // nobody has the other end any more
}
END_TEST

TEST(a_copy_that_says_too_much_is_ended)
{
    SearchFixture f;
    auto copy = f.copy([](const CopyProcess::Say& say) {
        for (;;)
            say(std::string(1U << 20, 'x'));
    });
    f.wait(*copy);
    THAT(copy->failed());
    THAT(copy->take().size() <= mailbox::max_copy_words + (1U << 20));
}
END_TEST

struct RoomFixture : SearchFixture {
    std::unique_ptr<store::Store> store = open(directory.path);
    ipc::MailboxSettings settings;
    std::unique_ptr<mailbox::SearchRoom> room;
    // As usher, who gives a turn at once.
    bool generous = true;
    std::size_t asked = 0;
    std::size_t given_back = 0;

    explicit RoomFixture(bool index = true)
    {
        settings.directory = directory.path;
        settings.search_index = index;
        settings.search_index_delay = 1000;
        make_room();
    }
    void make_room()
    {
        room = std::make_unique<mailbox::SearchRoom>(loop, settings, *store, fences());
        room->set_turns({.ask =
                             [this] {
                                 ++asked;
                                 if (generous)
                                     room->turn_given();
                             },
                         .over = [this] { ++given_back; }});
    }
    void deliver(std::string_view content)
    {
        test::deliver(*store, content);
        OK(store->sync());
        OK(store->collect());
        room->mailbox_changed((*store->mailbox("INBOX"))->id);
    }
    // A timer of our own, so that a loop without anything to do would be seen.
    void settle()
    {
        util::Timer late(loop, [] { THAT(!"it is not done after 20 seconds"); });
        late.start(util::Duration(20'000'000));
        while (room->is_busy())
            loop.run_once();
    }
    std::size_t known()
    {
        auto index = room->index();
        return index ? index->size() : 0;
    }
};

TEST(new_mail_is_in_the_index_soon)
{
    RoomFixture f;
    EQ(f.known(), 0u);
    for (int i = 0; i < 5; ++i)
        f.deliver("Subject: x\r\n\r\none of five\r\n");
    THAT(f.room->is_busy());
    f.settle();
    EQ(f.known(), 5u);
    f.deliver("Subject: x\r\n\r\none more\r\n");
    f.settle();
    EQ(f.known(), 6u);
    // Flags are no mail.
    std::uint32_t uid = 1;
    OK(f.store->change_flags((*f.store->mailbox("INBOX"))->id, {&uid, 1}, {.flags = store::Seen, .keywords = {}}));
    f.room->mailbox_changed((*f.store->mailbox("INBOX"))->id);
    THAT(!f.room->is_busy());
}
END_TEST

TEST(what_the_index_lacks_is_added_when_the_mailbox_is_quiet)
{
    RoomFixture f;
    test::deliver(*f.store, "Subject: x\r\n\r\nbefore\r\n");
    OK(f.store->sync());
    OK(f.store->collect());
    f.room->look_whether_complete();
    f.settle();
    EQ(f.known(), 1u);
    // Now it is known to be complete: a start finds nothing to do.
    f.make_room();
    f.room->look_whether_complete();
    THAT(!f.room->is_busy());
}
END_TEST

TEST(without_the_parameter_there_is_no_index)
{
    RoomFixture f(false);
    f.deliver("Subject: x\r\n\r\ny\r\n");
    f.room->look_whether_complete();
    THAT(!f.room->is_busy());
    THAT(f.room->index() == nullptr);
    THAT(!util::sys::lstat(f.directory.path + "/index").ok());
}
END_TEST

TEST(nothing_is_copied_when_the_host_forbids_it)
{
    RoomFixture f;
    bool may = false;
    f.room->set_gate([&may] { return may; });
    THAT(f.room->begin([](const imapd::engine::SearchAids::Say&) {}) == nullptr);
    f.deliver("Subject: x\r\n\r\ny\r\n");
    f.loop.run_for(util::Duration(20'000));
    THAT(!f.room->is_reading());
    may = true;
    f.settle();
    EQ(f.known(), 1u);
}
END_TEST

TEST(so_many_searches_are_copies_at_a_time)
{
    RoomFixture f;
    auto wait = [](const imapd::engine::SearchAids::Say&) { for (;;) ::pause(); };
    std::vector<std::unique_ptr<imapd::engine::SearchAids::Errand>> errands;
    for (std::size_t i = 0; i < mailbox::max_search_copies; ++i) {
        errands.push_back(f.room->begin(wait));
        THAT(errands.back() != nullptr);
    }
    THAT(f.room->begin(wait) == nullptr);
    THAT(f.room->is_reading());
    errands.pop_back();
    errands.push_back(f.room->begin(wait));
    THAT(errands.back() != nullptr);
    errands.clear();
    THAT(!f.room->is_reading());
}
END_TEST

TEST(a_damaged_index_is_made_again)
{
    RoomFixture f;
    f.deliver("Subject: x\r\n\r\na word\r\n");
    f.settle();
    std::string path = f.directory.path + "/index/" + search::Index::name_of({1, 1});
    auto fd = util::sys::open(path, O_RDWR);
    OK(fd);
    auto index = f.room->index();
    OK(util::sys::pwrite_all(fd->get(), std::string(40, '\0'), search::header_bytes));
    THAT(!index->candidates(std::string_view("word"), true, true));
    THAT(index->damaged());
    EQ(f.known(), 0u);
    f.settle();
    EQ(f.known(), 1u);
    THAT(f.room->index()->candidates(std::string_view("word"), true, true)->count() == 1);
}
END_TEST

TEST(nothing_is_filled_before_its_turn)
{
    RoomFixture f;
    f.generous = false;
    f.deliver("Subject: x\r\n\r\none\r\n");
    while (f.asked == 0)
        f.loop.run_once();
    // More mail is no reason to ask again, or to leave; housekeeping and searches go on.
    f.deliver("Subject: x\r\n\r\ntwo\r\n");
    f.loop.run_for(util::Duration(20'000));
    EQ(f.asked, 1u);
    THAT(f.room->is_busy());
    THAT(!f.room->is_reading());
    EQ(f.known(), 0u);
    THAT(f.room->begin([](const imapd::engine::SearchAids::Say&) {}) != nullptr);
    f.room->turn_given();
    THAT(f.room->is_reading());
    EQ(f.given_back, 0u);
    f.room->look_whether_complete();   // when the mailbox falls quiet: it is, when this is done
    f.settle();
    EQ(f.known(), 2u);
    EQ(f.asked, 1u);
    EQ(f.given_back, 1u);
    f.room->turn_given();   // which it has not asked for
    THAT(!f.room->is_reading());
    EQ(f.given_back, 1u);
}
END_TEST

TEST(a_turn_that_cannot_be_used_is_given_back)
{
    RoomFixture f;
    bool may = true;
    f.room->set_gate([&may] { return may; });
    f.generous = false;
    f.deliver("Subject: x\r\n\r\ny\r\n");
    while (f.asked == 0)
        f.loop.run_once();
    may = false;
    f.room->turn_given();
    EQ(f.given_back, 1u);
    THAT(f.room->is_busy());
    may = f.generous = true;
    f.settle();
    EQ(f.known(), 1u);
    EQ(f.asked, 2u);
    EQ(f.given_back, 2u);
}
END_TEST

TEST(each_part_of_much_mail_has_a_turn_of_its_own)
{
    RoomFixture f;
    f.settings.search_time_limit = 0;   // time for one message, since none is no progress
    for (int i = 0; i < 3; ++i)
        f.deliver("Subject: x\r\n\r\none of three\r\n");
    for (std::size_t turn = 1; turn <= 3; ++turn) {
        f.generous = false;
        while (f.asked < turn)
            f.loop.run_once();
        EQ(f.known(), turn - 1);
        EQ(f.given_back, turn - 1);
        f.room->turn_given();
    }
    f.settle();
    EQ(f.known(), 3u);
    EQ(f.asked, 3u);
    EQ(f.given_back, 3u);
}
END_TEST

TEST(failures_are_tried_again_later_and_keep_nobody)
{
    RoomFixture f;
    EQ(f.known(), 0u);
    // A directory in the place of the file.
    OK(util::sys::mkdir(f.directory.path + "/index/new", 0700));
    f.deliver("Subject: x\r\n\r\ny\r\n");
    f.settle();
    EQ(f.known(), 0u);
    EQ(f.asked, 1u);
    EQ(f.given_back, 1u);
    OK(util::sys::rmdir(f.directory.path + "/index/new"));
    util::Timer late(f.loop, [] { THAT(!"it was not tried again"); });
    late.start(util::Duration(30'000'000));
    while (f.known() == 0)
        f.loop.run_once();
}
END_TEST

}  // namespace

SUITE(search_room, nothing_is_filled_before_its_turn, a_turn_that_cannot_be_used_is_given_back,
      each_part_of_much_mail_has_a_turn_of_its_own, a_copy_closes_whatever_number_a_descriptor_has,
      a_copy_sees_what_was_and_says_what_it_found, a_copy_keeps_files_and_nothing_else,
      a_copy_may_read_the_directory_and_change_nothing, a_copy_that_dies_is_over_and_says_why, a_copy_has_a_limit_of_time,
      a_copy_ends_with_its_owner, a_copy_that_says_too_much_is_ended, new_mail_is_in_the_index_soon,
      what_the_index_lacks_is_added_when_the_mailbox_is_quiet, without_the_parameter_there_is_no_index,
      nothing_is_copied_when_the_host_forbids_it, so_many_searches_are_copies_at_a_time, a_damaged_index_is_made_again,
      failures_are_tried_again_later_and_keep_nobody)
