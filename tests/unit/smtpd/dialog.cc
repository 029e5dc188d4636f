// The runner of SMTP dialogues.  The session pulls: whenever it would wait for its client, the script
// goes on, up to the next line that sends.
#include "tests/unit/smtpd/dialog.h"

#include "libutil/sys.h"
#include "smtpd/checked_config.h"
#include "smtpd/restrictions.h"
#include "smtpd/session.h"
#include "smtpd/site.h"
#include "tests/unit/smtpd/fake_names.h"
#include "tests/unit/smtpd/fakes.h"

#include <algorithm>
#include <fcntl.h>

namespace test {

namespace {

// "\r\n\x00" and "\*3(ab)".
std::string unescape(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 >= text.size()) {
            out += text[i];
            continue;
        }
        char c = text[++i];
        if (c == 'x') {
            if (auto byte = util::unhex(text.substr(i + 1, 2)); byte.ok()) {
                out += *byte;
                i += 2;
            }
        } else if (c == '*') {
            std::size_t open = text.find('(', i), close = text.find(')', i);
            auto times = util::parse_unsigned(text.substr(i + 1, open - i - 1)).value_or(0);
            std::string piece = unescape(text.substr(open + 1, close - open - 1));
            for (; times > 0; --times)
                out += piece;
            i = close;
        } else {
            out += c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c == '0' ? '\0' : c;
        }
    }
    return out;
}

bool fits(std::string_view line, std::string_view pattern)
{
    std::size_t dots = pattern.find("...");
    if (dots == std::string_view::npos)
        return line == pattern;
    if (line.substr(0, dots) != pattern.substr(0, dots) || line.size() < dots)
        return false;
    line.remove_prefix(dots);
    pattern.remove_prefix(dots + 3);
    for (std::size_t skip = 0; skip <= line.size(); ++skip)
        if (fits(line.substr(skip), pattern))
            return true;
    return false;
}

class Script {
public:
    Script(std::string_view text, std::string path) : path_(std::move(path))
    {
        for (std::string_view line : util::split(text, '\n'))
            lines_.emplace_back(line);
    }

    // The whole file; what is wrong.
    std::string run();

    // For the session's transport.
    util::Result<std::size_t> read(std::span<char> buffer);
    void written(std::string_view bytes) { output_ += bytes; }
    bool has_input() const { return !input_.empty(); }

private:
    std::string_view skip_to_line();
    bool prepare(std::string_view line);
    void step(std::string_view line);
    void expect(char kind, std::string_view wanted);
    void directive(std::string_view line);
    void got(std::string_view wanted);
    void fail(std::string text)
    {
        if (error_.empty())
            error_ = util::concat(path_, ':', next_, ": ", text);
    }

    std::string path_;
    std::vector<std::string> lines_;
    std::size_t next_ = 0;
    std::string error_;
    std::string settings_;
    smtpd::Client client_{
        .name = "client.example.net", .address = "192.0.2.1", .port = 1234, .reverse_name = "client.example.net"};
    std::string input_;     // on its way to the server
    std::string output_;    // from the server, not looked at yet
    bool over_ = false;     // the server has closed
    bool silent_ = false;   // @timeout
    bool stopping_ = false; // @stop
    std::string flushed_;   // domains, by ETRN
    FakeIntake intake_;
    FakeAuthenticator authenticator_;
    FakeCounter counter_;
    FakeNames names_;
    FakeQuotas quotas_;
};

class ScriptTransport final : public net::Transport {
public:
    explicit ScriptTransport(Script& script) : script_(script) {}
    util::Result<std::size_t> read(std::span<char> buffer) override { return script_.read(buffer); }
    util::Result<void> write_all(std::string_view bytes) override
    {
        script_.written(bytes);
        return {};
    }
    util::Result<void> set_timeout(util::Duration) override { return {}; }
    bool readable() override { return script_.has_input(); }

private:
    Script& script_;
};

// Settings of the instance, before the session begins.
bool Script::prepare(std::string_view line)
{
    if (line.starts_with("@set ")) {
        util::append(settings_, line.substr(5), '\n');
    } else if (line.starts_with("@connections ")) {
        counter_.connections = util::parse_unsigned(line.substr(13)).value_or(0);
    } else if (line.starts_with("@client ")) {
        auto words = util::split_words(line.substr(8), " ");
        client_ = {std::string(words[0]), std::string(words[1]), 1234};
        client_.reverse_name = words.size() > 2 ? words[2] : words[0];
    } else if (line.starts_with("@dns ")) {
        if (!names_.add(line.substr(5)))
            fail("not a record");
    } else if (line.starts_with("@room ")) {
        auto words = util::split_words(line.substr(6), " ");
        quotas_.room[std::string(words[0])] = util::parse_unsigned(words[1]).value_or(0);
    } else if (line == "@dns-later") {
        client_.name_status = client_.reverse_status = smtpd::NameStatus::Temporary;
    } else {
        return false;
    }
    return true;
}

std::string Script::run()
{
    while (next_ < lines_.size()) {
        std::string_view line = lines_[next_];
        if (!line.empty() && line.front() != '#' && !prepare(line))
            break;
        ++next_;
    }
    conf::Problems problems;
    std::string text = util::concat(
        "myhostname = mx.example.org\nmydestination =\nmynetworks = 10.0.0.0/8\nrecipient_delimiter = +\n"
        "virtual_mailbox_domains = example.org\nsmtpd_sasl_auth_enable = yes\n"
        "virtual_mailbox_maps = inline:{alice@example.org=1 bob@example.org=1 postmaster@example.org=1}\n"
        "myorigin = example.org\ndefault_transport = smtp\n", settings_);
    auto settings = conf::MainCf::parse(text, "main.cf", "/etc/tern", problems);
    conf::Common common;
    smtpd::RestrictionLists lists;
    smtpd::CheckedConfig config(lists);
    routing::Config routing;
    settings.fill({&common, &config, &routing}, problems);
    if (problems.any())
        return util::concat(path_, ": ", problems.to_text());
    auto site = smtpd::Site::open(common, routing);
    CHECK(site.ok());
    auto rules = smtpd::Restrictions::open(config, common, std::move(lists),
                                           {.destinations = **site,
                                            .names = names_,
                                            .sleep = {},
                                            .quotas = &quotas_,
                                            .flush_subdomains = conf::Domains::Subdomains::Always});
    if (!rules.ok())
        return util::concat(path_, ": ", rules.error().text);
    smtpd::Services services{common, config, **rules, intake_, &authenticator_, nullptr, &counter_, "smtp", {},
                             [this] { return stopping_; }, {},
                             [this](const std::string& domain) -> util::Result<void> {
                                 util::append(flushed_, flushed_.empty() ? "" : " ", domain);
                                 return {};
                             }};
    smtpd::Session(std::move(services), net::Stream(std::make_unique<ScriptTransport>(*this)), client_).run();
    over_ = true;
    if (intake_.open)
        fail("a message was begun and neither finished nor abandoned");
    while (error_.empty() && next_ < lines_.size())
        step(lines_[next_++]);
    if (error_.empty() && !output_.empty())
        fail(util::concat("the server also said: ", util::printable(output_)));
    return error_;
}

util::Result<std::size_t> Script::read(std::span<char> buffer)
{
    while (error_.empty() && input_.empty() && next_ < lines_.size()) {
        std::string_view line = lines_[next_++];
        if (line == "--")
            return std::size_t(0);
        if (line == "@timeout")
            return util::Error{util::Kind::Temporary, "timeout", net::timeout_code};
        if (line == "@stop") {
            stopping_ = true;
            return util::Error{util::Kind::Temporary, "interrupted", net::interrupted_code};
        }
        step(line);
    }
    std::size_t count = std::min(buffer.size(), input_.size());
    input_.copy(buffer.data(), count);
    input_.erase(0, count);
    return count;  // 0 at the end of the script: the client closes
}

void Script::step(std::string_view line)
{
    if (line.empty() || line.front() == '#')
        return;
    std::string_view rest = line.size() > 3 ? line.substr(3) : std::string_view();
    if (line.front() == '@')
        return directive(line);
    if (line.starts_with("<"))
        return expect(line[1], rest);
    if (over_)
        return fail("the server has closed already");
    if (line.starts_with("->"))
        input_ += std::string(rest) + "\r\n";
    else if (line.starts_with("=>"))
        input_ += unescape(rest);
    else
        fail(util::concat("what is this: ", line));
}

void Script::expect(char kind, std::string_view wanted)
{
    if (kind == '.' || kind == '$') {
        if (!output_.empty())
            return fail(util::concat("the server said: ", util::printable(output_)));
        if (kind == '$' && !over_)
            fail("the server has not closed");
        return;
    }
    for (;;) {
        std::size_t end = output_.find("\r\n");
        if (end == std::string::npos)
            return fail(util::concat("nothing more came; wanted: ", wanted));
        std::string line = output_.substr(0, end);
        output_.erase(0, end + 2);
        if (kind == '-' ? line == wanted : fits(line, wanted))
            return;
        if (kind != '*')
            return fail(util::concat("got:    ", util::printable(line), "\nwanted: ", wanted));
    }
}

void Script::directive(std::string_view line)
{
    auto words = util::split_words(line, " ");
    if (words[0] == "@verdict" && words.size() >= 4) {
        using Kind = ipc::Verdict::Kind;
        ipc::Verdict verdict;
        verdict.kind = words[1] == "kept"        ? Kind::Kept
                       : words[1] == "delivered" ? Kind::Delivered
                       : words[1] == "refused"   ? Kind::Refused
                                                 : Kind::Failed;
        verdict.code = int(util::parse_unsigned(words[2]).value_or(0));
        verdict.dsn = words[3];
        for (std::size_t i = 4; i < words.size(); ++i)
            util::append(verdict.text, i > 4 ? " " : "", words[i]);
        intake_.verdicts.push_back(std::move(verdict));
    } else if (words[0] == "@down") {
        intake_.down = true;
    } else if (words[0] == "@lost") {
        intake_.lost = true;
    } else if (words[0] == "@anvil-down") {
        counter_.down = true;
    } else if (words[0] == "@asked") {
        if (util::concat(counter_.asked) != words[1])
            fail(util::concat("anvil was asked ", counter_.asked, " times"));
    } else if (words[0] == "@flushed") {
        if (flushed_ != line.substr(9))
            fail(util::concat("flushed: ", flushed_));
    } else if (words[0] == "@auth-down") {
        authenticator_.down = true;
    } else if (words[0] == "@messages") {
        if (util::concat(intake_.messages.size()) != words[1])
            fail(util::concat(intake_.messages.size(), " messages were taken"));
    } else if (intake_.messages.empty()) {
        fail("no message was taken");
    } else if (words[0] == "@got") {
        got(line.substr(5));
    } else if (words[0] == "@content") {
        std::string wanted = unescape(line.size() > 9 ? line.substr(9) : "");
        if (intake_.messages.back().content != wanted)
            fail(util::concat("got:    ", util::printable(intake_.messages.back().content)));
    } else if (words[0] == "@trace") {
        for (std::string_view field : util::split(intake_.messages.back().trace, '\n'))
            if (fits(util::trim(field), line.substr(7)))
                return;
        fail(util::concat("the trace is ", util::printable(intake_.messages.back().trace)));
    } else {
        fail(util::concat("what is this: ", line));
    }
}

// "from=a@b to=c@d to=e@f notify=4 ...": as written, for the last message.
void Script::got(std::string_view wanted)
{
    const auto& message = intake_.messages.back();
    std::string all = util::concat("from=", message.envelope.sender, " client=", message.envelope.client_name, '[',
                                   message.envelope.client_address, "] proto=", message.envelope.protocol_name,
                                   " sasl=", message.envelope.sasl_username, " envid=", message.envelope.envelope_id,
                                   " ret=", int(message.envelope.return_part), " utf8=", message.envelope.smtputf8,
                                   " eight_bit=", message.envelope.eight_bit, " helo=", message.envelope.helo_name,
                                   " complete=", message.envelope.complete_header,
                                   " local=", message.envelope.local_header, " overrides=", int(message.envelope.overrides),
                                   " hold=", message.envelope.hold, " filter=", message.envelope.content_filter,
                                   " redirect=", message.envelope.redirect, " bcc=",
                                   message.envelope.bcc.empty() ? "" : message.envelope.bcc.front());
    CHECK(message.envelope.bcc.size() < 2);
    std::string recipients;
    for (const ipc::Recipient& recipient : message.recipients) {
        util::append(recipients, recipients.empty() ? "to=" : " to=", recipient.address);
        if (recipient.notify)
            util::append(recipients, " notify=", recipient.notify);
        if (!recipient.original.empty())
            util::append(recipients, " orcpt=", recipient.original);
    }
    std::string to;
    for (std::string_view word : util::split_words(wanted, " ")) {
        if (word.starts_with("to=") || word.starts_with("notify=") || word.starts_with("orcpt="))
            util::append(to, to.empty() ? "" : " ", word);
        else if ((" " + all + " ").find(" " + std::string(word) + " ") == std::string::npos)
            return fail(util::concat("wanted ", word, " in: ", all));
    }
    if (to != recipients)
        fail(util::concat("the recipients are: ", recipients));
}

}  // namespace

std::string run_smtp_dialog_text(std::string_view text, const std::string& path)
{
    return Script(text, path).run();
}

std::string run_smtp_dialog(const std::string& path)
{
    auto text = util::sys::read_file(path, 1'000'000);
    if (!text.ok())
        return text.error().text;
    return run_smtp_dialog_text(*text, path);
}

std::string run_smtp_dialogs(const std::string& directory)
{
    auto fd = util::sys::open(directory, O_RDONLY | O_DIRECTORY);
    if (!fd.ok())
        return fd.error().text;
    auto names = util::sys::list_directory(fd->get()).take();
    std::ranges::sort(names);
    std::string wrong;
    for (const std::string& name : names)
        if (name.ends_with(".txt"))
            if (auto error = run_smtp_dialog(directory + "/" + name); !error.empty())
                wrong += error + "\n";
    return wrong;
}

}  // namespace test
