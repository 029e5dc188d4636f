#include "libnet/stream.h"
#include "libutil/sys.h"
#include "tests/unit/libnet/signals.h"
#include "tests/unit/suite.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

// Gives the pieces one per read, then the end; keeps what is written and in which order.
class Script final : public net::Transport {
public:
    explicit Script(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}

    util::Result<std::size_t> read(std::span<char> buffer) override
    {
        ++reads;
        if (interrupts > 0) {
            --interrupts;
            return util::Error{util::Kind::Temporary, "interrupted", net::interrupted_code};
        }
        if (silent)
            return util::Error{util::Kind::Temporary, "timeout", net::timeout_code};
        if (next_ == pieces_.size())
            return std::size_t(0);
        std::string& piece = pieces_[next_];
        std::size_t count = std::min(buffer.size(), piece.size());
        piece.copy(buffer.data(), count);
        piece.erase(0, count);
        if (piece.empty())
            ++next_;
        return count;
    }
    util::Result<void> write_all(std::string_view bytes) override
    {
        ++writes;
        if (broken)
            return util::Error{util::Kind::Temporary, "lost connection", net::closed_code};
        written += bytes;
        return {};
    }
    util::Result<void> set_timeout(util::Duration) override { return {}; }
    bool readable() override { return next_ < pieces_.size(); }

    std::string written;
    int reads = 0;
    int writes = 0;
    int interrupts = 0;
    bool silent = false;   // nothing comes in time
    bool broken = false;

private:
    std::vector<std::string> pieces_;
    std::size_t next_ = 0;
};

struct Fixture {
    explicit Fixture(std::vector<std::string> pieces)
        : owned(std::make_unique<Script>(std::move(pieces))), script(*owned), stream(std::move(owned))
    {
    }
    std::unique_ptr<Script> owned;
    Script& script;
    net::Stream stream;
};

TEST(reads_lines_however_they_are_cut)
{
    Fixture f({"EH", "LO a\r", "\nMAIL\nA\r\n\r\n", "end"});
    auto line = f.stream.read_line(100);
    OK(line);
    EQ(line->text, "EHLO a");
    THAT(!line->bare_lf);
    line = f.stream.read_line(100);
    OK(line);
    EQ(line->text, "MAIL");
    THAT(line->bare_lf);
    line = f.stream.read_line(100);
    EQ(line->text, "A");
    line = f.stream.read_line(100);
    EQ(line->text, "");
    line = f.stream.read_line(100);
    THAT(!line.ok());
    EQ(line.error().code, net::closed_code);
}
END_TEST

TEST(a_line_at_the_limit_is_whole_and_one_byte_more_is_too_long)
{
    std::string at(512, 'x');
    Fixture f({at + "\r\n" + at + "y\r\n" + at + at, at + "\n" + "next\r\n"});
    auto line = f.stream.read_line(512);
    OK(line);
    THAT(!line->too_long);
    EQ(line->text, at);
    line = f.stream.read_line(512);
    OK(line);
    THAT(line->too_long);
    EQ(line->text, at);
    line = f.stream.read_line(512);
    THAT(line->too_long);
    EQ(line->text, at);
    line = f.stream.read_line(512);
    EQ(line->text, "next");
    THAT(!line->too_long);
}
END_TEST

TEST(a_line_longer_than_the_buffer_is_passed_over)
{
    std::vector<std::string> pieces;
    for (int i = 0; i < 40; ++i)
        pieces.emplace_back(10000, 'z');
    pieces.emplace_back("\r\nok\r\n");
    Fixture f(std::move(pieces));
    auto line = f.stream.read_line(1000);
    OK(line);
    THAT(line->too_long);
    EQ(line->text.size(), 1000U);
    EQ(f.stream.read_line(1000)->text, "ok");
}
END_TEST

TEST(flushes_only_when_a_read_would_wait)
{
    Fixture f({"a\r\nb\r\nc\r\n", "d\r\n"});
    for (const char* expected : {"a", "b", "c"}) {
        EQ(f.stream.read_line(10)->text, expected);
        f.stream.write(std::string(expected) + "!");
    }
    EQ(f.script.writes, 0);
    EQ(f.script.reads, 1);
    EQ(f.stream.read_line(10)->text, "d");
    EQ(f.script.writes, 1);
    EQ(f.script.written, "a!b!c!");
}
END_TEST

TEST(the_first_write_error_sticks)
{
    Fixture f({"a\r\n"});
    f.script.broken = true;
    f.stream.write("x");
    THAT(!f.stream.flush().ok());
    f.script.broken = false;
    f.stream.write("y");
    THAT(!f.stream.flush().ok());
    auto line = f.stream.read_line(10);
    THAT(!line.ok());
    EQ(f.script.written, "");
}
END_TEST

TEST(a_signal_ends_a_read_only_if_the_owner_wants_to_stop)
{
    Fixture f({"a\r\n", "b\r\n"});
    bool stop = false;
    f.stream.set_stop([&] { return stop; });
    f.script.interrupts = 2;
    EQ(f.stream.read_line(10)->text, "a");
    f.script.interrupts = 1;
    stop = true;
    auto line = f.stream.read_line(10);
    THAT(!line.ok());
    EQ(line.error().code, net::interrupted_code);
    // One that came before the read ends it as well.
    EQ(f.script.interrupts, 1);
}
END_TEST

TEST(who_is_patient_reads_on_for_a_while_although_he_wants_to_stop)
{
    Fixture f({"a\r\n", "b\r\n"});
    f.stream.set_stop([] { return true; });
    f.stream.set_patience(std::chrono::hours(1));
    f.script.interrupts = 2;
    EQ(f.stream.read_line(10)->text, "a");
    // The other limits stay as they are.
    f.script.silent = true;
    f.stream.set_timeout(std::chrono::seconds(1));
    EQ(f.stream.read_line(10).error().code, net::timeout_code);
    f.stream.set_deadline(util::Deadline::in(util::Duration::zero()));
    EQ(f.stream.read_line(10).error().code, net::timeout_code);
    f.stream.set_deadline(util::Deadline::never());
    // It counts from the first look, for all reads together.
    f.stream.set_timeout(std::chrono::hours(2));
    f.stream.set_patience(std::chrono::milliseconds(20));
    auto before = util::now();
    EQ(f.stream.read_line(10).error().code, net::interrupted_code);
    THAT(util::now() - before < std::chrono::minutes(1));
    f.script.silent = false;
    EQ(f.stream.read_line(10).error().code, net::interrupted_code);
}
END_TEST

TEST(fill_and_consume_give_the_bytes_as_they_come)
{
    Fixture f({"abc", "def"});
    EQ(*f.stream.fill(), "abc");
    f.stream.consume(1);
    EQ(*f.stream.fill_more(), "bcdef");
    f.stream.consume(5);
    THAT(!f.stream.fill().ok());
}
END_TEST

TEST(a_full_buffer_is_an_error_not_an_overrun)
{
    Fixture f({std::string(net::Stream::input_size, 'x'), "y"});
    EQ(f.stream.fill()->size(), net::Stream::input_size);
    EQ(f.stream.fill_more().error().kind, util::Kind::Invalid);
    f.stream.consume(1);
    EQ(f.stream.fill_more()->size(), net::Stream::input_size);
}
END_TEST

TEST(a_silent_socket_times_out)
{
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    net::Stream stream(std::move(pair.first));
    stream.set_timeout(std::chrono::milliseconds(20));
    EQ(stream.read_line(10).error().code, net::timeout_code);
    // And a deadline ends a read however long the timeout is.
    stream.set_timeout(std::chrono::hours(1));
    stream.set_deadline(util::Deadline::in(std::chrono::milliseconds(20)));
    EQ(stream.read_line(10).error().code, net::timeout_code);
}
END_TEST

TEST(a_peer_that_takes_nothing_times_out_and_one_that_left_is_an_error)
{
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    net::Stream stream(std::move(pair.first));
    stream.set_timeout(std::chrono::milliseconds(20));
    std::string block(net::Stream::output_size, 'x');
    util::Result<void> result;
    for (int i = 0; i < 1000 && result.ok(); ++i) {
        stream.write(block);
        result = stream.flush();
    }
    EQ(result.error().code, net::timeout_code);

    auto other = util::sys::socket_pair(SOCK_STREAM).take();
    net::Stream second(std::move(other.first));
    other.second.reset();
    second.write("x");
    EQ(second.flush().error().code, net::closed_code);
}
END_TEST

// A peer that takes some bytes now and then: each send gets on, the whole does not.
TEST(a_whole_write_ends_in_time_however_it_gets_on)
{
    auto pair = util::sys::socket_pair(SOCK_STREAM);
    OK(pair);
    int small = 4096;
    ::setsockopt(pair->first.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    pid_t reader = ::fork();
    if (reader == 0) {
        char buffer[512];
        pair->first.reset();
        do {
            timespec pause{.tv_sec = 0, .tv_nsec = 10'000'000};
            ::nanosleep(&pause, nullptr);
        } while (::recv(pair->second.get(), buffer, sizeof buffer, 0) > 0);
        ::_exit(0);
    }
    pair->second.reset();
    net::Stream stream(std::move(pair->first));
    stream.set_timeout(std::chrono::milliseconds(100));
    stream.limit_whole_writes(true);
    auto begin = util::now();
    stream.write(std::string(2'000'000, 'x'));   // 40 s at that pace
    auto sent = stream.flush();
    THAT(!sent.ok());
    EQ(sent.error().code, net::timeout_code);
    THAT(util::now() - begin < std::chrono::seconds(20));
    stream = net::Stream(util::UniqueFd());
    ::waitpid(reader, nullptr, 0);
}
END_TEST

TEST(a_signal_ends_a_write_that_waits_if_the_owner_says_so)
{
    for (bool stops : {true, false}) {
        auto pair = util::sys::socket_pair(SOCK_STREAM).take();
        net::Stream stream(std::move(pair.first));
        stream.set_timeout(std::chrono::hours(1));
        stream.set_stop(test::Signals::several);
        if (stops)
            stream.stop_writes();
        std::string much(4'000'000, 'x');
        std::size_t taken = 0;
        std::thread reader;
        test::Signals signals;
        if (!stops)   // the signals do not matter
            reader = std::thread([&] {
                char buffer[65536];
                while (!test::Signals::several())
                    ::sched_yield();
                while (taken < much.size())
                    taken += std::size_t(std::max<ssize_t>(::recv(pair.second.get(), buffer, sizeof buffer, 0), 0));
            });
        stream.write(much);
        auto sent = stream.flush();
        EQ(sent.ok(), !stops);
        EQ(sent.ok() ? 0 : sent.error().code, stops ? net::interrupted_code : 0);
        if (!stops)
            reader.join();
        // The next read says so, too.
        EQ(stream.read_line(10).error().code, net::interrupted_code);
    }
}
END_TEST

}  // namespace

SUITE(stream, a_signal_ends_a_write_that_waits_if_the_owner_says_so, reads_lines_however_they_are_cut,
      a_line_at_the_limit_is_whole_and_one_byte_more_is_too_long,
      a_line_longer_than_the_buffer_is_passed_over, flushes_only_when_a_read_would_wait,
      the_first_write_error_sticks, a_signal_ends_a_read_only_if_the_owner_wants_to_stop,
      who_is_patient_reads_on_for_a_while_although_he_wants_to_stop,
      fill_and_consume_give_the_bytes_as_they_come, a_full_buffer_is_an_error_not_an_overrun,
      a_silent_socket_times_out, a_peer_that_takes_nothing_times_out_and_one_that_left_is_an_error,
      a_whole_write_ends_in_time_however_it_gets_on)
