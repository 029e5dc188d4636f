// Questions to servers and their answers.
#include "libnet/dns_exchange.h"

#include "libutil/random.h"
#include "libutil/text.h"
#include "libutil/unique_fd.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <numeric>

namespace net::dns {

// One question on its way.
class Exchange::Asking {
public:
    Asking(const Question& question, bool dnssec, const ServerList& list, std::span<const std::size_t> order) :
        question_(question), list_(list), order_(order), tries_left_(order.size() * list.attempts()),
        spent_(order.size())
    {
        options_.dnssec = dnssec;
    }

    // Begins the first try.
    void start(util::Deadline overall)
    {
        overall_ = overall;
        next_try();
    }
    bool done() const { return done_; }
    util::Deadline deadline() const { return deadline_; }
    pollfd to_poll() const { return {socket_.get(), short(writing_ ? POLLOUT : POLLIN), 0}; }
    void on_ready()
    {
        if (stream_)
            writing_ ? send_stream() : receive_stream();
        else
            receive_packet();
    }
    void on_timeout()
    {
        silent_.push_back(server_);
        other_failure_ = true;
        tried("timeout", false);
    }

    void give_up()
    {
        result_.why = "interrupted";
        finish();
    }

    Exchanged take() { return std::move(result_); }
    // Servers that let a try run into its time limit.
    const std::vector<std::size_t>& silent() const { return silent_; }

private:
    const Server& server() const { return list_.servers()[server_]; }

    // Ends this try; the next one goes to the next server.  What a server said it will say again: `for_good`.
    void tried(std::string_view why, bool for_good)
    {
        result_.why = util::concat(why, " from ", server().text);
        spent_[turn_] = spent_[turn_] || for_good;
        turn_ = (turn_ + 1) % order_.size();
        next_try();
    }

    void next_try()
    {
        for (;;) {
            socket_.reset();
            if (tries_left_ == 0 || overall_.passed() || std::ranges::find(spent_, false) == spent_.end())
                return finish();
            while (spent_[turn_])
                turn_ = (turn_ + 1) % order_.size();
            --tries_left_;
            server_ = order_[turn_];
            options_.edns = true;
            if (open_packets())
                return;
            result_.why = util::concat(util::system_error("no answer", errno).text, " from ", server().text);
            other_failure_ = true;
            spent_[turn_] = true;
        }
    }

    void finish()
    {
        socket_.reset();
        done_ = true;
        if (result_.end == Exchanged::End::Answered)
            return;
        result_.end = garbage_ && !other_failure_ ? Exchanged::End::Malformed : Exchanged::End::NoAnswer;
        if (result_.why.empty())
            result_.why = "no time left";
    }

    bool open_socket(int type)
    {
        stream_ = type == SOCK_STREAM;
        socket_.reset(::socket(server().address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        deadline_ = std::min(util::Deadline::in(list_.timeout()), overall_,
                             [](const util::Deadline& a, const util::Deadline& b) { return a.instant() < b.instant(); });
        const auto* address = reinterpret_cast<const sockaddr*>(&server().address);
        return socket_.valid() && (::connect(socket_.get(), address, server().address_size) == 0 || errno == EINPROGRESS);
    }

    bool open_packets()
    {
        id_ = std::uint16_t(util::random_u64());
        strays_ = 0;
        writing_ = false;
        std::string query = encode_query(question_, id_, options_);
        return open_socket(SOCK_DGRAM) && ::send(socket_.get(), query.data(), query.size(), MSG_NOSIGNAL) >= 0;
    }

    void open_stream()
    {
        id_ = std::uint16_t(util::random_u64());
        std::string query = encode_query(question_, id_, options_);
        buffer_ = util::concat(char(query.size() >> 8), char(query.size() & 255), query);
        writing_ = true;
        if (!open_socket(SOCK_STREAM))
            failed_call("connect");
    }

    void failed_call(std::string_view what)
    {
        other_failure_ = true;
        tried(util::system_error(what, errno).text, true);
    }

    void receive_packet()
    {
        char bytes[max_udp_answer];
        ssize_t size = ::recv(socket_.get(), bytes, sizeof bytes, MSG_TRUNC);
        if (size < 0) {
            if (errno != EAGAIN && errno != EINTR)
                failed_call("no answer");
            return;
        }
        std::string_view wire(bytes, std::min(std::size_t(size), sizeof bytes));
        if (!is_answer(wire, question_, id_)) {
            if (++strays_ >= max_stray_packets)
                open_stream();
        } else if (std::size_t(size) > sizeof bytes || is_truncated(wire)) {
            open_stream();
        } else {
            take_answer(wire);
        }
    }

    void send_stream()
    {
        int code = 0;
        socklen_t code_size = sizeof code;
        ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &code, &code_size);
        errno = code;
        ssize_t size = code == 0 ? ::send(socket_.get(), buffer_.data(), buffer_.size(), MSG_NOSIGNAL) : -1;
        if (size < 0) {
            if (errno != EAGAIN && errno != EINTR)
                failed_call("connect");
            return;
        }
        buffer_.erase(0, std::size_t(size));
        writing_ = !buffer_.empty();
    }

    void receive_stream()
    {
        char bytes[16 * 1024];
        ssize_t size = ::recv(socket_.get(), bytes, sizeof bytes, 0);
        if (size < 0) {
            if (errno != EAGAIN && errno != EINTR)
                failed_call("no answer");
            return;
        }
        if (size == 0) {
            other_failure_ = true;
            return tried("lost connection", true);
        }
        // At most 65,537 bytes and what came in the last read.
        buffer_.append(bytes, std::size_t(size));
        if (buffer_.size() < 2)
            return;
        std::size_t length = std::size_t(std::uint8_t(buffer_[0])) << 8 | std::uint8_t(buffer_[1]);
        if (buffer_.size() < 2 + length)
            return;
        std::string wire = buffer_.substr(2, length);
        buffer_.clear();
        if (is_answer(wire, question_, id_))
            return take_answer(wire);
        garbage_ = true;
        tried("an answer to another question", true);
    }

    void take_answer(std::string_view wire)
    {
        auto message = decode(wire, question_);
        if (!message.ok()) {
            garbage_ = true;
            return tried(message.error().text, true);
        }
        constexpr unsigned no_error = 0, format_error = 1, no_such_name = 3, not_implemented = 4, bad_version = 16;
        if (message->lame) {
            other_failure_ = true;
            return tried("no recursion", true);
        }
        if (message->code == no_error || message->code == no_such_name) {
            result_ = {Exchanged::End::Answered, message.take(), std::string(wire), list_.trusted(server()), ""};
            return finish();
        }
        bool unknown_extension =
            message->code == format_error || message->code == not_implemented || message->code == bad_version;
        // Without EDNS there are no signatures.
        if (unknown_extension && options_.edns && !options_.dnssec) {
            options_.edns = false;
            if (!open_packets())
                failed_call("no answer");
            return;
        }
        other_failure_ = true;
        tried(name_of_code(message->code), true);
    }

    const Question& question_;
    const ServerList& list_;
    std::span<const std::size_t> order_;  // of servers
    QueryOptions options_;
    std::size_t tries_left_;
    std::vector<bool> spent_;  // by turn: that server needs no other try
    std::size_t turn_ = 0;     // in order_
    std::size_t server_ = 0;
    util::Deadline overall_ = util::Deadline::never();
    util::Deadline deadline_ = util::Deadline::never();
    util::UniqueFd socket_;
    bool stream_ = false;
    bool writing_ = false;
    std::uint16_t id_ = 0;
    unsigned strays_ = 0;
    std::string buffer_;  // over TCP: what is to be sent, then what came
    bool garbage_ = false;
    bool other_failure_ = false;
    std::vector<std::size_t> silent_;
    bool done_ = false;
    Exchanged result_;
};

Exchange::Exchange(ServerList servers, std::function<util::Instant()> now, std::function<bool()> wants_stop) :
    servers_(std::move(servers)), silent_until_(servers_.servers().size(), util::Instant::min()), now_(std::move(now)),
    wants_stop_(std::move(wants_stop))
{
}

bool Exchange::refresh()
{
    if (!servers_.refresh())
        return false;
    silent_until_.assign(servers_.servers().size(), util::Instant::min());
    return true;
}

// Those that answer, then those that were silent.
std::vector<std::size_t> Exchange::order() const
{
    std::vector<std::size_t> order(servers_.servers().size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    util::Instant now = now_();
    std::stable_partition(order.begin(), order.end(), [&](std::size_t server) { return silent_until_[server] <= now; });
    return order;
}

std::vector<Exchanged> Exchange::ask(std::span<const Question> questions, bool dnssec, util::Deadline deadline)
{
    const std::vector<std::size_t> turns = order();
    std::vector<Asking> all;
    all.reserve(questions.size());
    for (const Question& question : questions)
        all.emplace_back(question, dnssec, servers_, turns);

    std::size_t next = 0;
    std::vector<Asking*> under_way;
    std::vector<pollfd> polled;
    for (;;) {
        std::erase_if(under_way, [](const Asking* asking) { return asking->done(); });
        while (under_way.size() < max_parallel && next < all.size()) {
            Asking& asking = all[next++];
            asking.start(deadline);
            if (!asking.done())
                under_way.push_back(&asking);
        }
        if (under_way.empty())
            break;
        polled.clear();
        int wait = -1;
        for (const Asking* asking : under_way) {
            polled.push_back(asking->to_poll());
            int its = asking->deadline().poll_milliseconds();
            wait = wait < 0 ? its : std::min(wait, its);
        }
        if (::poll(polled.data(), polled.size(), wait) < 0) {
            for (pollfd& each : polled)
                each.revents = 0;
            if (errno == EINTR && wants_stop_ && wants_stop_()) {
                deadline = util::Deadline::in(util::Duration::zero());
                for (Asking* asking : under_way)
                    asking->give_up();
            }
        }
        for (std::size_t i = 0; i < under_way.size(); ++i) {
            if (polled[i].revents != 0)
                under_way[i]->on_ready();
            // Also of a server that sends a byte now and then.
            if (!under_way[i]->done() && under_way[i]->deadline().passed())
                under_way[i]->on_timeout();
        }
    }

    std::vector<Exchanged> answers;
    for (Asking& asking : all) {
        for (std::size_t server : asking.silent())
            silent_until_[server] = now_() + silence_time;
        answers.push_back(asking.take());
    }
    return answers;
}

}  // namespace net::dns
