// A server for unit tests: it answers what is written to it, at once, from a table.
#pragma once

#include "libnet/stream.h"
#include "libutil/text.h"
#include "smtp/session.h"
#include "tests/unit/suite.h"

#include <algorithm>
#include <deque>
#include <map>

namespace test {

struct FakeServer {
    std::string greeting = "220 mx.example.org ESMTP ready";
    std::string extensions = "PIPELINING 8BITMIME SMTPUTF8 DSN SIZE";
    bool lmtp = false;
    // By verb, or by a whole line: replies in their order, the last one again and again.
    std::map<std::string, std::deque<std::string>> replies;
    std::size_t closes_after = SIZE_MAX;   // bytes sent

    std::vector<std::string> commands;
    std::vector<std::size_t> flights;      // commands that came in one write
    std::vector<std::string> contents;
    std::size_t ended = 0;                 // contents whose end has come
    std::string out;                       // not read yet
    std::size_t sent = 0;
    std::size_t accepted = 0;              // recipients
    bool in_data = false;
    std::string input;
    std::size_t chunk_left = 0;            // bytes of a chunk that have not come yet
    std::string chunk;                     // the BDAT command that it belongs to
    std::vector<std::size_t> waiting;      // at each BDAT: replies that the client has not read
    bool knows_bdat = true;
    bool slow = false;                     // replies come when they are waited for

    void say(std::string_view text)
    {
        for (std::string_view line : util::split(text, '\n'))
            util::append(out, line, "\r\n");
    }

    std::string next_reply(const std::string& key, std::string fallback)
    {
        auto found = replies.find(key);
        if (found == replies.end())
            return fallback;
        std::string reply = found->second.front();
        if (found->second.size() > 1)
            found->second.pop_front();
        return reply;
    }

    std::string ehlo_reply() const
    {
        std::string text = "250-mx.example.org";
        for (std::string_view word : util::split_words(extensions, " "))
            util::append(text, "\n250-", word);
        return text + "\n250 X-END";
    }

    void take(const std::string& line)
    {
        commands.push_back(line);
        std::string verb = util::upper(util::split_first(line, ' ').first);
        if (verb == "BDAT" && knows_bdat)
            return begin_chunk(line);
        if (!replies.contains(line) && !replies.contains(verb) && replies.contains("*"))
            verb = "*";   // what is no command: a response
        std::string fallback = verb == "EHLO" || verb == "LHLO" ? ehlo_reply() : verb == "DATA" ? "354 go on" : "250 2.0.0 Ok";
        std::string reply = replies.contains(line) ? next_reply(line, "") : next_reply(verb, fallback);
        if (verb == "MAIL")
            accepted = 0;
        if (verb == "RCPT" && reply.starts_with("2"))
            ++accepted;
        in_data = verb == "DATA" && reply.starts_with("354");
        if (in_data)
            contents.emplace_back();
        say(reply);
    }

    void begin_chunk(const std::string& line)
    {
        waiting.push_back(std::size_t(std::ranges::count(out, '\n')));
        if (chunk.empty())
            contents.emplace_back();
        chunk = line;
        chunk_left = std::size_t(util::parse_unsigned(util::split_first(line.substr(5), ' ').first).value_or(0));
        if (chunk_left == 0)
            end_chunk();
    }

    void end_chunk()
    {
        bool last = chunk.ends_with(" LAST");
        ended += last;
        std::size_t verdicts = last && lmtp ? accepted : 1;
        for (std::size_t i = 0; i < verdicts; ++i)
            say(next_reply(last ? "LAST" : "BDAT", last ? "250 2.0.0 Ok: queued as 12345" : "250 2.0.0 Ok"));
        if (last)
            chunk.clear();
    }

    void take_content(const std::string& line)
    {
        if (line != ".") {
            util::append(contents.back(), line, "\n");
            return;
        }
        in_data = false;
        ++ended;
        std::size_t verdicts = lmtp ? accepted : 1;
        for (std::size_t i = 0; i < verdicts; ++i)
            say(next_reply(".", "250 2.0.0 Ok: queued as 12345"));
    }

    void take_chunk()
    {
        std::size_t count = std::min(chunk_left, input.size());
        if (count == 0)
            return;
        contents.back() += input.substr(0, count);
        input.erase(0, count);
        chunk_left -= count;
        if (chunk_left == 0)
            end_chunk();
    }

    void written(std::string_view bytes)
    {
        input += bytes;
        std::size_t count = 0;
        take_chunk();
        for (std::size_t end; chunk_left == 0 && (end = input.find("\r\n")) != std::string::npos; take_chunk()) {
            std::string line = input.substr(0, end);
            input.erase(0, end + 2);
            count += !in_data;
            in_data ? take_content(line) : take(line);
        }
        if (count > 0)
            flights.push_back(count);
    }

    bool said(std::string_view verb) const
    {
        return std::ranges::any_of(commands, [&](const std::string& line) { return line.starts_with(verb); });
    }
};

class FakeTransport final : public net::Transport {
public:
    explicit FakeTransport(FakeServer& server) : server_(server) { server_.say(server_.greeting); }

    util::Result<std::size_t> read(std::span<char> buffer) override
    {
        std::size_t room = server_.closes_after - server_.sent;
        std::size_t count = std::min({buffer.size(), server_.out.size(), room});
        if (count == 0 && room == 0)
            return std::size_t(0);
        if (count == 0)
            return util::Error{util::Kind::Temporary, "timeout", net::timeout_code};
        server_.out.copy(buffer.data(), count);
        server_.out.erase(0, count);
        server_.sent += count;
        return count;
    }
    util::Result<void> write_all(std::string_view bytes) override
    {
        if (server_.sent == server_.closes_after)
            return util::Error{util::Kind::Temporary, "lost connection", net::closed_code};
        server_.written(bytes);
        return {};
    }
    util::Result<void> set_timeout(util::Duration) override { return {}; }
    bool readable() override { return !server_.slow && !server_.out.empty(); }

private:
    FakeServer& server_;
};

// The parameters with their defaults.
inline void fill(smtp::Config& config)
{
    for (conf::Parameter* parameter : config.parameters()) {
        std::string text = parameter->default_text();
        OK(parameter->read(text == "$myhostname" ? "client.example.net" : text.starts_with('$') ? "" : text));
    }
}

// What is taken from elsewhere in main.cf has no value.
inline void fill(trust::TlsConfig& config)
{
    for (conf::Parameter* parameter : config.parameters())
        if (parameter->default_text().find('$') == std::string::npos)
            OK(parameter->read(parameter->default_text()));
}

class TextSource final : public smtp::Source {
public:
    explicit TextSource(std::string_view text) : text_(text) {}
    util::Result<std::string_view> next() override { return std::exchange(text_, {}); }

private:
    std::string_view text_;
};

// A session with a fake server, and a letter to send.
struct Talk {
    explicit Talk(std::size_t recipients = 1, smtp::Protocol protocol = smtp::Protocol::Smtp)
        : config(protocol), site{.config = config,
                                 .myhostname = "client.example.net",
                                 .loop_port = 25,
                                 .discard = {},
                                 .stopping = {},
                                 .credentials = nullptr}
    {
        fill(config);
        server.lmtp = config.lmtp();
        letter.queue_id = "3Cbn4n0000z1234";
        letter.sender = "<sender@example.net>";
        letter.size = 1000;
        letter.open = [this](bool seven) -> util::Result<std::unique_ptr<smtp::Source>> {
            seven_bit = seven;
            return std::unique_ptr<smtp::Source>(std::make_unique<TextSource>(content));
        };
        for (std::size_t i = 0; i < recipients; ++i)
            job_recipients.push_back({static_cast<std::uint32_t>(i), {util::concat("r", i, "@example.org"), "", 0}});
        for (const auto& recipient : job_recipients) {
            targets.emplace_back();
            targets.back().recipient = &recipient;
            targets.back().path = util::concat("<", recipient.recipient.address, ">");
        }
    }

    std::optional<smtp::Failure> begin()
    {
        smtp::Host host;
        host.name = "mx.example.org";
        host.address = "192.0.2.1";
        host.port = port;
        session.emplace(site, host, net::Stream(std::make_unique<FakeTransport>(server)));
        if (avoids_bdat)
            session->avoid_bdat();
        return session->begin({"example.org", "[mx.example.org]:587", "sender@example.net"});
    }
    void send()
    {
        std::vector<smtp::Target*> all;
        for (smtp::Target& target : targets)
            all.push_back(&target);
        session->deliver(letter, all);
    }
    void run()
    {
        auto failed = begin();
        ck_assert_msg(!failed, "%s", failed ? failed->status.text.c_str() : "");
        send();
    }
    const ipc::DeliveryStatus& status(std::size_t i = 0) const
    {
        ck_assert_msg(targets[i].status.has_value(), "recipient %zu has no status", i);
        return *targets[i].status;
    }

    FakeServer server;
    smtp::Config config;
    smtp::SessionSite site;
    std::uint16_t port = 2525;
    std::string content = "Subject: x\r\n\r\n.body\r\n";
    smtp::Letter letter;
    bool seven_bit = false;
    bool avoids_bdat = false;
    std::vector<ipc::JobRecipient> job_recipients;
    std::vector<smtp::Target> targets;
    std::optional<smtp::Session> session;
};

}  // namespace test
