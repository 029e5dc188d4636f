// tests/restrictions/*.test in memory: each line is one session.
#include "libutil/log.h"
#include "libutil/sys.h"
#include "smtpd/checked_config.h"
#include "smtpd/restrictions.h"
#include "smtpd/session.h"
#include "smtpd/site.h"
#include "tests/unit/smtpd/fake_names.h"
#include "tests/unit/smtpd/fakes.h"
#include "tests/unit/suite.h"

#include <algorithm>
#include <fcntl.h>

namespace {

const std::string directory = "tests/restrictions/";

struct Line {
    std::string place;   // file:line
    std::string who, what, reply;
};

std::string read(const std::string& name)
{
    auto text = util::sys::read_file(directory + name, 1'000'000);
    OK(text);
    return text.take();
}

// Columns between " | ".
std::vector<std::string> columns(std::string_view line)
{
    std::vector<std::string> all;
    for (std::size_t at; (at = line.find(" | ")) != std::string_view::npos; line.remove_prefix(at + 3))
        all.emplace_back(util::trim(line.substr(0, at)));
    all.emplace_back(util::trim(line));
    return all;
}

std::vector<Line> lines_of(const std::string& name)
{
    std::vector<Line> lines;
    int number = 0;
    std::string text = read(name);
    for (std::string_view line : util::split(text, '\n')) {
        ++number;
        if (line.empty() || line.front() == '#' || line.starts_with("postfix |"))
            continue;
        auto parts = columns(line);
        ck_assert_msg(parts.size() == 3 || parts.size() == 4, "%s:%d: WHO | WHAT | REPLY is wanted", name.c_str(), number);
        lines.push_back({util::concat(name, ':', number), parts[0], parts[1], parts[2]});
    }
    return lines;
}

// WHAT as main.cf has it.
std::string settings_of(std::string_view what)
{
    static constexpr std::pair<std::string_view, std::string_view> lists[] = {
        {"client:", "smtpd_client_restrictions"},       {"helo:", "smtpd_helo_restrictions"},
        {"sender:", "smtpd_sender_restrictions"},       {"relay:", "smtpd_relay_restrictions"},
        {"recipient:", "smtpd_recipient_restrictions"}, {"data:", "smtpd_data_restrictions"},
        {"end:", "smtpd_end_of_data_restrictions"}};
    std::string text;
    if (what == "-")
        return text;
    for (std::string_view piece : util::split(what, ';')) {
        piece = util::trim(piece);
        auto list = std::ranges::find_if(lists, [&](const auto& entry) { return piece.starts_with(entry.first); });
        if (list != std::end(lists))
            util::append(text, list->second, " = ", util::trim(piece.substr(list->first.size())), '\n');
        else
            util::append(text, piece, '\n');
    }
    return text;
}

struct Step {
    std::string stage, command;
};

// What the client says, command by command; each waits for the reply before it.
std::vector<Step> steps_of(std::string_view who)
{
    std::string name = "client.example", address = "192.0.2.1", helo = "EHLO client.example", from = "sender@example.net";
    std::string to = "alice@example.org", login;
    for (std::string_view word : util::split_words(who, " ")) {
        auto [key, value] = util::split_first(word, '=');
        if (key == "client") {
            name = value.substr(0, value.find('['));
            address = value.substr(value.find('[') + 1, value.size() - value.find('[') - 2);
        } else if (key == "helo" || key == "ehlo") {
            helo = value == "-" ? "" : util::concat(util::upper(key), ' ', value);
        } else if (key == "from") {
            from = value == "<>" ? "" : value;
        } else if (key == "to") {
            to = value;
        } else if (key == "login") {
            login = value;
        } else {
            ck_assert_msg(word == "-", "WHO: %s", std::string(word).c_str());
        }
    }
    std::vector<Step> steps = {{"CONNECT", ""}};
    steps.push_back({"CONNECT", util::concat("XCLIENT NAME=", name == "unknown" ? "[UNAVAILABLE]" : name,
                                             " ADDR=", address.find(':') == std::string::npos ? "" : "IPV6:", address,
                                             login.empty() ? "" : " LOGIN=", login)});
    if (!helo.empty())
        steps.push_back({"HELO", helo});
    steps.push_back({"MAIL", util::concat("MAIL FROM:<", from, '>')});
    for (std::string_view recipient : util::split(to, ','))
        steps.push_back({"RCPT", util::concat("RCPT TO:<", recipient, '>')});
    steps.push_back({"DATA", "DATA"});
    steps.push_back({"END", "Subject: test\r\n\r\n."});
    return steps;
}

// Asks for the next command when the session waits, and notes the reply before it.
class Conversation final : public net::Transport {
public:
    Conversation(std::vector<Step> steps, std::string& result) : steps_(std::move(steps)), result_(result) {}
    util::Result<std::size_t> read(std::span<char> buffer) override
    {
        if (input_.empty()) {
            if (!look() || ++next_ == steps_.size())
                return std::size_t(0);
            input_ = steps_[next_].command + "\r\n";
        }
        std::size_t count = std::min(buffer.size(), input_.size());
        input_.copy(buffer.data(), count);
        input_.erase(0, count);
        return count;
    }
    util::Result<void> write_all(std::string_view bytes) override
    {
        output_ += bytes;
        if (next_ < steps_.size())
            look();
        return {};
    }
    util::Result<void> set_timeout(util::Duration) override { return {}; }
    bool readable() override { return !input_.empty(); }

private:
    // False: it is a refusal.
    bool look()
    {
        if (output_.empty())
            return result_.empty() || result_ == "250";
        if (output_[0] == '2' || output_[0] == '3') {
            result_ = "250";
        } else if (result_.empty() || result_ == "250") {
            result_ = util::concat(steps_[next_].stage, ' ');
            for (std::string_view line : util::split(util::trim(output_), '\n'))
                util::append(result_, result_.ends_with(' ') ? line : line.substr(10), "");
            result_ = util::trim(result_);
        }
        output_.clear();
        return result_ == "250";
    }

    std::vector<Step> steps_;
    std::string& result_;
    std::size_t next_ = 0;
    std::string input_, output_;
};

// As address_verify_transport_maps of base.cf has it.
class FakeVerifier final : public smtpd::Verifier {
public:
    util::Result<ipc::VerifyAnswer> ask(const std::string& address, util::Duration) override
    {
        if (address.starts_with("bad@"))
            return ipc::VerifyAnswer{ipc::Verification::Undeliverable, "nobody"};
        if (address.starts_with("later@"))
            return ipc::VerifyAnswer{ipc::Verification::Deferred, "not now"};
        return ipc::VerifyAnswer{ipc::Verification::Deliverable, ""};
    }
};

// The address of a main.cf line that comes last counts.
std::string play(const Line& line, const std::string& base, test::FakeNames& names)
{
    conf::Problems problems;
    std::string text = base + settings_of(line.what);
    auto settings = conf::MainCf::parse(text, "main.cf", "/nonexistent", problems);
    conf::Common common;
    routing::Config routing;
    smtpd::RestrictionLists lists;
    smtpd::CheckedConfig config(lists);
    settings.fill({&common, &config, &routing}, problems);
    if (problems.any())
        return problems.to_text();
    auto site = smtpd::Site::open(common, routing);
    OK(site);
    FakeVerifier verifier;
    auto parents = routing.matches_subdomains("smtpd_access_maps") ? smtpd::Parents::Plain : smtpd::Parents::ByDot;
    auto rules = smtpd::Restrictions::open(config, common, std::move(lists), {**site, names, {}, parents, &verifier});
    if (!rules.ok())
        return rules.error().text;
    test::FakeIntake intake;
    std::string result;
    smtpd::Services services{common, config, **rules, intake, nullptr, nullptr, nullptr, {}, {}, {}};
    smtpd::Session(std::move(services), net::Stream(std::make_unique<Conversation>(steps_of(line.who), result)),
                   {"localhost", "127.0.0.1", 1}).run();
    return result;
}

TEST(each_line_gets_its_reply)
{
    util::log::to_nowhere();
    std::string base = read("base.cf");
    auto opened = util::sys::open(directory, O_RDONLY | O_DIRECTORY);
    OK(opened);
    std::string wrong;
    int count = 0;
    for (const std::string& name : util::sys::list_directory(opened->get()).take()) {
        if (!name.ends_with(".test"))
            continue;
        for (const Line& line : lines_of(name)) {
            ++count;
            test::FakeNames names;
            std::string reply = play(line, base, names);
            if (reply != line.reply)
                util::append(wrong, '\n', line.place, ": ", reply, "\n    wanted: ", line.reply);
        }
    }
    THAT(count > 100);
    ck_assert_msg(wrong.empty(), "%s", wrong.c_str());
}
END_TEST

TEST(lists_in_a_row_are_asked_together)
{
    util::log::to_nowhere();
    test::FakeNames names;
    THAT(names.add("1.2.0.192.c.example A 127.0.0.2"));
    Line line{
        "", "-",
        "client: reject_rbl_client a.example, warn_if_reject, reject_rbl_client b.example=127.0.0.3, permit_dnswl_client w.example, "
        "reject_rhsbl_sender s.example, reject_rbl_client b.example, reject_plaintext_session, reject_rbl_client c.example; "
        "plaintext_reject_code = 450; sender: warn_if_reject, reject_rbl_client c.example",
        ""};
    EQ(play(line, read("base.cf"), names),
       "RCPT 450 4.7.1 <client.example[192.0.2.1]>: Client host rejected: Session encryption is required");
    EQ(names.together.size(), 1u);
    EQ(names.together[0], "1.2.0.192.a.example 1.2.0.192.b.example 1.2.0.192.w.example example.net.s.example");
    // What stands behind another restriction is asked for when it is its turn.
    names.together.clear();
    line.what =
        "client: reject_rbl_client a.example, reject_unauth_pipelining, reject_rbl_client c.example, reject_rbl_client d.example";
    EQ(play(line, read("base.cf"), names),
       "RCPT 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using c.example");
    EQ(names.together.size(), 2u);
    EQ(names.together[0], "1.2.0.192.a.example");
    EQ(names.together[1], "1.2.0.192.c.example 1.2.0.192.d.example");
    // A list of good clients is not asked about those who relay.
    names.together.clear();
    line.who = "to=x@far.example";
    line.what = "relay: reject_rbl_client a.example, permit_dnswl_client w.example, reject_unauth_destination";
    EQ(play(line, read("base.cf"), names), "RCPT 554 5.7.1 <x@far.example>: Relay access denied");
    EQ(names.together.size(), 1u);
    EQ(names.together[0], "1.2.0.192.a.example");
}
END_TEST

}  // namespace

SUITE(restrictions, each_line_gets_its_reply, lists_in_a_row_are_asked_together)
