// errands/letter.h, errands/mailbox_file.h: messages in files.
#include "errands/mailbox_file.h"

#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

ipc::RunEntry order_of(std::string content)
{
    ipc::RunEntry order;
    order.sender = "from@example.com";
    order.delivered_to = "anna@example.org";
    order.size = content.size();
    order.content = std::move(content);
    return order;
}

std::string letter(const ipc::RunEntry& order, errands::LetterForm form)
{
    std::string text;
    OK(errands::write_letter(order, form, 0, [&](std::string_view piece) -> util::Result<void> {
        text += piece;
        return {};
    }));
    return text;
}

std::string content_of(const std::string& path)
{
    auto text = util::sys::read_file(path, 1'000'000);
    OK(text);
    return text.take();
}

TEST(letters_have_lines_of_their_own)
{
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    auto order = order_of("Subject: x\r\n\r\nFrom here\r\nlast");
    EQ(letter(order, {}), "From from@example.com  Thu Jan  1 00:00:00 1970\nReturn-Path: <from@example.com>\n"
                          "Delivered-To: anna@example.org\nSubject: x\n\n>From here\nlast\n\n");
    order.original_recipient = "old@example.org";
    order.sender.clear();
    EQ(letter(order, {.from_line = false, .mailbox_file = false, .delivered_to = false}),
       "Return-Path: <>\nX-Original-To: old@example.org\nSubject: x\n\nFrom here\nlast\n");
    order.original_recipient = "x\nX-Injected: 1";
    EQ(letter(order, {.from_line = false, .mailbox_file = false, .delivered_to = false}).find("\nX-Injected"),
       std::string::npos);
    order.sender = "a b\tc@x";
    THAT(letter(order, {}).starts_with("From a_b_c@x  Thu"));
}
END_TEST

TEST(large_letters_come_from_their_descriptor)
{
    auto order = order_of("");
    std::string text = "Subject: x\r\n\r\n";
    while (text.size() < 300'000)
        text += "From a line of text\r\n";
    auto file = util::sys::memfd("x");
    OK(file);
    OK(util::sys::write_all(file->get(), text));
    order.message = file.take();
    order.size = text.size();
    std::string have = letter(order, {});
    EQ(have.find('\r'), std::string::npos);
    EQ(have.find("\nFrom a line"), std::string::npos);
    THAT(have.ends_with("\n>From a line of text\n\n"));
}
END_TEST

TEST(files_are_appended_to)
{
    test::TempDir dir;
    errands::FileRules rules;
    for (int i = 0; i < 2; ++i)
        OK(errands::append_to_file(dir / "box", order_of("Subject: x\r\n\r\nbody\r\n"), rules));
    std::string text = content_of(dir / "box");
    EQ(text.size() % 2, 0u);
    auto below_first_line = [](std::string_view message) { return std::string(message.substr(message.find('\n'))); };
    EQ(below_first_line(text.substr(0, text.size() / 2)), below_first_line(text.substr(text.size() / 2)));  // that has the time
    EQ(util::sys::stat(dir / "box")->st_mode & 0777, 0600u);
    EQ(util::sys::stat(dir / "box.lock").ok(), false);
}
END_TEST

TEST(a_file_that_may_not_grow_stays_as_it_is)
{
    test::TempDir dir;
    errands::FileRules rules;
    OK(errands::append_to_file(dir / "box", order_of("Subject: x\r\n\r\n"), rules));
    std::string before = content_of(dir / "box");
    rules.size_limit = before.size() + 14;
    OK(errands::append_to_file(dir / "box", order_of("Subject: x\r\n\r\n"), rules));   // just within
    auto over = errands::append_to_file(dir / "box", order_of("Subject: x\r\n\r\n"), rules);
    EQ(over.ok(), false);
    EQ(over.error().code, EFBIG);
    EQ(content_of(dir / "box").size(), 2 * before.size());
}
END_TEST

TEST(locks_are_waited_for_and_stale_ones_removed)
{
    test::TempDir dir;
    errands::FileRules rules;
    rules.attempts = 2;
    rules.delay = std::chrono::milliseconds(1);
    OK(util::sys::replace_file(dir / "box.lock", "x"));
    auto held = errands::append_to_file(dir / "box", order_of("x"), rules);
    EQ(held.error().kind, util::Kind::Temporary);
    rules.stale = util::Duration(-2'000'000);
    OK(errands::append_to_file(dir / "box", order_of("x"), rules));
    // Another process has the file.
    int ready[2];
    CHECK(::pipe(ready) == 0);
    pid_t pid = ::fork();
    if (pid == 0) {
        int fd = ::open((dir / "box").c_str(), O_RDWR);
        struct flock whole{};
        whole.l_type = F_WRLCK;
        ::fcntl(fd, F_SETLK, &whole);
        (void)!::write(ready[1], "x", 1);
        ::pause();
        ::_exit(0);
    }
    char byte;
    EQ(::read(ready[0], &byte, 1), 1);
    EQ(errands::append_to_file(dir / "box", order_of("x"), rules).error().kind, util::Kind::Temporary);
    ::kill(pid, SIGKILL);
    ::close(ready[0]);
    ::close(ready[1]);
}
END_TEST

TEST(links_and_strangers_files_are_not_written_to)
{
    test::TempDir dir;
    errands::FileRules rules;
    OK(util::sys::replace_file(dir / "real", "x"));
    CHECK(::symlink((dir / "real").c_str(), (dir / "link").c_str()) == 0);
    EQ(errands::append_to_file(dir / "link", order_of("x"), rules).ok(), false);
    OK(util::sys::link(dir / "real", dir / "second"));
    EQ(errands::append_to_file(dir / "second", order_of("x"), rules).ok(), false);
    rules.owner = ::geteuid() + 1;
    OK(util::sys::replace_file(dir / "other", "x"));
    auto stranger = errands::append_to_file(dir / "other", order_of("x"), rules);
    EQ(stranger.error().kind, util::Kind::Temporary);
    EQ(content_of(dir / "real"), "x");
    EQ(content_of(dir / "other"), "x");
    OK(errands::append_to_file("/dev/null", order_of("x"), rules));
    EQ(errands::append_to_file(dir.path(), order_of("x"), rules).error().kind, util::Kind::Permanent);
}
END_TEST

TEST(maildirs_are_made_and_filled)
{
    test::TempDir dir;
    errands::FileRules rules;
    OK(errands::put_into_maildir(dir / "box/", order_of("Subject: x\r\n\r\nFrom y\r\n"), rules, "host"));
    OK(errands::put_into_maildir(dir / "box/", order_of("Subject: z\r\n\r\n"), rules, "host"));
    auto fd = util::sys::open(dir / "box/new", O_RDONLY | O_DIRECTORY);
    OK(fd);
    auto names = util::sys::list_directory(fd->get());
    OK(names);
    EQ(names->size(), 2u);
    for (const std::string& name : *names) {
        std::string text = content_of(util::concat(dir / "box/new/", name));
        THAT(text.starts_with("Return-Path: <from@example.com>\nDelivered-To: anna@example.org\nSubject: "));
        OK(util::sys::unlink(util::concat(dir / "box/new/", name)));
    }
    auto tmp = util::sys::open(dir / "box/tmp", O_RDONLY | O_DIRECTORY);
    OK(tmp);
    EQ(util::sys::list_directory(tmp->get())->size(), 0u);
    for (const char* part : {"box/new", "box/tmp", "box/cur", "box"})
        OK(util::sys::rmdir(dir / part));
}
END_TEST

TEST(what_another_user_has_put_there_gets_no_mail)
{
    test::TempDir dir;
    errands::FileRules rules;
    rules.owner = ::geteuid() + 1;
    std::string maildir = dir / "maildir";
    for (const char* part : {"", "/tmp", "/new", "/cur"})
        OK(util::sys::mkdir(maildir + part, 0700));
    THAT(!errands::put_into_maildir(maildir, order_of("x\r\n"), rules, "host").ok());
    for (const char* part : {"/tmp", "/new"}) {
        auto directory = util::sys::open(maildir + part, O_RDONLY | O_DIRECTORY);
        EQ(util::sys::list_directory(directory->get())->size(), 0u);
    }
    rules.owner = ::geteuid();
    OK(errands::put_into_maildir(maildir, order_of("x\r\n"), rules, "host"));
    std::string fifo = dir / "fifo";
    EQ(::mkfifo(fifo.c_str(), 0600), 0);
    util::UniqueFd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK));
    THAT(!errands::append_to_file(fifo, order_of("x\r\n"), rules).ok());
    rules.owner.reset();
    OK(errands::append_to_file(fifo, order_of("x\r\n"), rules));
}
END_TEST

SUITE(files, what_another_user_has_put_there_gets_no_mail, letters_have_lines_of_their_own,
      large_letters_come_from_their_descriptor, files_are_appended_to, a_file_that_may_not_grow_stays_as_it_is,
      locks_are_waited_for_and_stale_ones_removed, links_and_strangers_files_are_not_written_to, maildirs_are_made_and_filled)

}  // namespace
