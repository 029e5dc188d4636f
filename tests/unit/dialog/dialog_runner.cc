// Runs the dialogues of tests/dialog in memory.
#include "tests/unit/dialog/dialog_runner.h"

#include "libmail/imap_render.h"
#include "libutil/text.h"
#include "tests/unit/libstore/fixture.h"

#include <algorithm>

namespace test {

DialogRunner::DialogRunner(std::unique_ptr<store::Store> store, MakeSession make)
    : store_(std::move(store)), make_(std::move(make))
{
    listen();
}

DialogRunner::~DialogRunner()
{
    store_->on_change({});
}

void DialogRunner::listen()
{
    store_->on_change([this](store::MailboxId mailbox) {
        for (auto& [name, peer] : peers_)
            if (peer.session)
                peer.session->store_changed(mailbox);
    });
}

void DialogRunner::settle()
{
    for (int round = 0; round < 100'000; ++round) {
        bool busy = false;
        for (auto& [name, peer] : peers_) {
            auto& output = peer.session->output();
            busy = busy || !output.empty();
            peer.received += output;
            output.clear();
            if (peer.session->has_work()) {
                busy = true;
                peer.session->work();
            }
        }
        auto before = store_->durable();
        (void)store_->sync();
        (void)store_->collect();
        if (store_->durable() != before) {
            busy = true;
            for (auto& [name, peer] : peers_)
                peer.session->durable_grew();
        }
        if (!busy)
            return;
    }
}

std::string unescape(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 >= text.size()) {
            out += text[i];
            continue;
        }
        switch (text[++i]) {
        case 'r':
            out += '\r';
            break;
        case 'n':
            out += '\n';
            break;
        case 't':
            out += '\t';
            break;
        case '0':
            out += '\0';
            break;
        case 'x':
            if (auto byte = util::unhex(text.substr(i + 1, 2)); byte.ok()) {
                out += *byte;
                i += 2;
            }
            break;
        case '*': {
            auto open = text.find('(', i);
            auto close = text.find(')', i);
            if (open == std::string_view::npos || close == std::string_view::npos)
                break;
            auto times = util::parse_unsigned(text.substr(i + 1, open - i - 1)).value_or(0);
            auto piece = unescape(text.substr(open + 1, close - open - 1));
            while (times-- > 0)
                out += piece;
            i = close;
            break;
        }
        default:
            out += text[i];
        }
    }
    return out;
}

std::string DialogRunner::substitute(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto close = text.find('}', i);
        if (!text.substr(i).starts_with("${") || close == std::string_view::npos) {
            out += text[i];
            continue;
        }
        out += variables_[std::string(text.substr(i + 2, close - i - 2))];
        i = close;
    }
    return out;
}

// Recursion only at "...": patterns are short.
bool DialogRunner::fits(std::string_view line, std::string_view pattern)
{
    for (;;) {
        if (pattern.starts_with("...")) {
            pattern.remove_prefix(3);
            for (std::size_t skip = 0; skip <= line.size(); ++skip)
                if (fits(line.substr(skip), pattern))
                    return true;
            return false;
        }
        if (pattern.starts_with("${")) {
            auto close = pattern.find('}');
            std::string name(pattern.substr(2, close - 2));
            pattern.remove_prefix(close + 1);
            auto length = pattern.empty() ? line.size() : std::min(line.find(pattern[0]), line.size());
            auto [known, fresh] = variables_.emplace(name, line.substr(0, length));
            if (!fresh && known->second != line.substr(0, length))
                return false;
            line.remove_prefix(length);
            continue;
        }
        if (pattern.empty() || line.empty())
            return pattern.empty() && line.empty();
        if (pattern.front() != line.front())
            return false;
        pattern.remove_prefix(1);
        line.remove_prefix(1);
    }
}

DialogRunner::Peer& DialogRunner::peer(const std::string& name)
{
    auto& peer = peers_[name];
    if (!peer.session) {
        setup_.session = name;
        peer.session = make_(*store_, setup_);
    }
    return peer;
}

void DialogRunner::send(Peer& peer, std::string_view bytes)
{
    peer.session->feed(bytes);
    settle();
}

bool DialogRunner::take_line(Peer& peer, std::string& line)
{
    auto end = peer.received.find("\r\n");
    if (end == std::string::npos)
        return false;
    line = peer.received.substr(0, end);
    peer.received.erase(0, end + 2);
    return true;
}

std::string DialogRunner::expect(Peer& peer, char kind, std::string_view wanted)
{
    std::string line;
    std::string skipped;
    switch (kind) {
    case '-':
    case '~':
        if (!take_line(peer, line))
            return util::concat("no line came, wanted: ", wanted, "; waiting: ",
                                util::printable(peer.received));
        if (kind == '-' ? line != substitute(wanted) : !fits(line, wanted))
            return util::concat("got:    ", util::printable(line), "\n  wanted: ", wanted);
        return {};
    case '*':
        while (take_line(peer, line)) {
            if (fits(line, wanted))
                return {};
            skipped += "\n  " + line;
        }
        return util::concat("no line fits ", wanted, "; got:", skipped);
    case '|': {
        auto bytes = unescape(wanted);
        if (!std::string_view(peer.received).starts_with(bytes))
            return util::concat("wanted: ", wanted, "\n  got:    ", util::printable(peer.received));
        peer.received.erase(0, bytes.size());
        return {};
    }
    case '.':
        if (!peer.received.empty())
            return util::concat("unexpected: ", util::printable(peer.received));
        return {};
    case '$':
        if (!peer.session->finished())
            return "the session goes on";
        return {};
    default:
        return "unknown kind of line";
    }
}

std::string DialogRunner::directive(std::string_view text)
{
    auto words = util::split_words(text, " ");
    if (words.size() >= 2 && words[0] == "deliver") {
        auto message = load_message(words[1]);
        if (message.empty())
            return util::concat("no such message: ", words[1]);
        deliver(*store_, message, words.size() > 2 ? words[2] : "INBOX");
        settle();
        return {};
    }
    if (words.size() == 3 && words[0] == "limit" && words[1] == "messages") {
        setup_.messages = std::size_t(util::parse_unsigned(words[2]).value_or(0));
        return {};
    }
    if (words.size() == 3 && words[0] == "limit" && words[1] == "message") {
        setup_.message_limit = util::parse_unsigned(words[2]).value_or(0);
        return {};
    }
    return "unknown directive";
}

std::string DialogRunner::line(std::string_view text)
{
    if (text.empty() || text.front() == '#')
        return {};
    if (text.front() == '@')
        return directive(text.substr(1));
    std::string name = "a";
    if (text.size() > 2 && util::is_alpha(text[0]) && text[1] == ':') {
        name = text.substr(0, 1);
        text = util::trim_left(text.substr(2));
    }
    auto& who = peer(name);
    auto mark = text.substr(0, 2);
    auto rest = text.size() > 3 ? text.substr(3) : std::string_view();
    if (mark == "->")
        send(who, substitute(rest) + "\r\n");
    else if (mark == "=>")
        send(who, unescape(substitute(rest)));
    else if (mark == "--")
        who.session->end_of_input(), settle();
    else if (mark.size() == 2 && mark[0] == '<')
        return expect(who, mark[1], rest);
    else
        return "unknown kind of line";
    return {};
}

std::string DialogRunner::run(const std::string& path)
{
    auto file = util::sys::read_file(path, 1U << 20);
    if (!file.ok())
        return file.error().text;
    std::size_t number = 0;
    for (auto text : util::split(*file, '\n')) {
        ++number;
        auto fault = line(text);
        if (!fault.empty())
            return util::concat(path, ":", number, ": ", fault);
    }
    for (auto& [name, who] : peers_)
        if (!who.received.empty())
            return util::concat(path, ": left over in ", name, ": ", util::printable(who.received));
    return {};
}

std::string run_dialogs(const std::string& path, const MakeSession& make)
{
    auto directory = util::sys::open(path, O_RDONLY | O_DIRECTORY);
    if (!directory.ok())
        return directory.error().text;
    auto names = util::sys::list_directory(directory->get()).value_or({});
    std::sort(names.begin(), names.end());
    std::string faults;
    for (const auto& name : names) {
        if (!name.ends_with(".txt"))
            continue;
        Directory scratch;
        DialogRunner runner(open(scratch.beside("store")), make);
        auto fault = runner.run(util::concat(path, "/", name));
        if (!fault.empty())
            faults += "\n" + fault;
    }
    return names.empty() ? "there are no dialogues" : faults;
}

std::string load_message(std::string_view name)
{
    auto file = util::sys::read_file(util::concat("tests/dialog/messages/", name, ".eml"), 16U << 20);
    std::string out;
    if (!file.ok())
        return out;
    for (char c : *file) {
        if (c == '\n')
            out += '\r';
        out += c;
    }
    return out;
}

void deliver(store::Store& store, std::string_view content, std::string_view mailbox,
             store::Flags flags)
{
    auto target = store.mailbox(mailbox);
    if (!target.ok())
        return;
    auto made = mail::render_message(content);
    store::Rendered rendered;
    rendered.envelope = made.envelope;
    rendered.body_structure = made.body_structure;
    rendered.body = made.body;
    rendered.header_cache = made.header_cache;
    rendered.preview = made.preview;
    rendered.sent_seconds = made.date ? made.date->seconds : 0;
    rendered.header_size = std::uint32_t(made.header_size);
    store::NewMessage message;
    message.content = content;
    message.flags = flags;
    message.internal_date = store::Date{837'596'665, -420};  // 17-Jul-1996 02:44:25 -0700
    message.rendered = &rendered;
    (void)store.append((*target)->id, message);
}

}  // namespace test
