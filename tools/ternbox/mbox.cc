// mbox (see mbox.h).
#include "tools/ternbox/mbox.h"

#include "libmail/date.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>

#include <algorithm>
#include <ctime>

namespace ternbox {

namespace {

constexpr std::size_t max_mbox_size = std::size_t(4) << 30;

// "From " behind any number of '>' (mboxrd).
bool looks_like_from(std::string_view line)
{
    std::size_t at = line.find_first_not_of('>');
    return at != line.npos && line.substr(at).starts_with("From ");
}

void add_status(std::string_view value, store::Flags& flags)
{
    for (char letter : value) {
        switch (letter) {
        case 'R':
            flags |= store::Seen;
            break;
        case 'A':
            flags |= store::Answered;
            break;
        case 'F':
            flags |= store::Flagged;
            break;
        case 'D':
            flags |= store::Deleted;
            break;
        case 'T':
            flags |= store::Draft;
            break;
        }
    }
}

std::string status_lines(const Item& item)
{
    std::string lines = util::concat("Status: ", item.flags & store::Seen ? "RO" : "O", "\n");
    std::string more;
    if (item.flags & store::Answered)
        more += 'A';
    if (item.flags & store::Flagged)
        more += 'F';
    if (item.flags & store::Deleted)
        more += 'D';
    if (item.flags & store::Draft)
        more += 'T';
    if (!more.empty())
        util::append(lines, "X-Status: ", more, "\n");
    if (!item.keywords.empty()) {
        lines += "X-Keywords:";
        for (const auto& keyword : item.keywords)
            util::append(lines, " ", keyword);
        lines += "\n";
    }
    return lines;
}

std::string from_date(std::int64_t seconds)
{
    std::tm parts{};
    std::time_t time = seconds;
    char text[64] = "Thu Jan  1 00:00:00 1970";
    if (::gmtime_r(&time, &parts))
        std::strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &parts);
    return text;
}

}  // namespace

std::string mbox_message(const Item& item)
{
    std::string text = with_lf(item.content);
    std::size_t body = text.find("\n\n");
    std::size_t header = body == text.npos ? text.size() : body + 1;
    std::string marked = text.substr(0, header);
    if (!marked.empty() && marked.back() != '\n')
        marked += '\n';
    marked += status_lines(item);
    if (header < text.size())
        marked.append(text, header);
    else
        marked += '\n';

    std::string out = util::concat("From MAILER-DAEMON ", from_date(item.date.seconds), "\n");
    if (marked.back() != '\n')
        marked += '\n';
    std::string_view rest = marked;
    while (!rest.empty()) {
        std::size_t end = rest.find('\n') + 1;
        if (looks_like_from(rest.substr(0, end)))
            out += '>';
        out.append(rest.substr(0, end));
        rest.remove_prefix(end);
    }
    out += '\n';
    return out;
}

Item parse_mbox_message(std::string_view from_line, std::string_view text)
{
    Item item;
    item.kind = Item::Kind::Message;
    std::size_t date = from_line.find(' ', 5);
    if (date != from_line.npos)
        if (auto parsed = mail::parse_date(from_line.substr(date + 1)))
            item.date = {parsed->seconds, parsed->zone_minutes};
    std::string out;
    bool in_header = true;
    while (!text.empty()) {
        std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end);
        if (line == "\n" || line == "\r\n")
            in_header = false;
        if (in_header) {
            auto [name, value] = util::split_first(line, ':');
            if (util::equal_nocase(name, "Status") || util::equal_nocase(name, "X-Status")) {
                add_status(value, item.flags);
                continue;
            }
            if (util::equal_nocase(name, "X-Keywords")) {
                for (std::string_view word : util::split_words(value))
                    item.keywords.emplace_back(word);
                continue;
            }
        }
        if (line.starts_with('>') && looks_like_from(line))
            line.remove_prefix(1);
        out.append(line);
    }
    item.content = with_crlf(out);
    return item;
}

util::Result<void> read_mbox(const std::string& path, std::string mailbox, const TakeItem& take)
{
    std::string text = TRY(util::sys::read_file(path, max_mbox_size));
    if (!text.empty() && !text.starts_with("From "))
        return util::invalid(util::concat(path, ": not an mbox (it does not begin with \"From \")"));
    Item box;
    box.kind = Item::Kind::Mailbox;
    box.mailbox = std::move(mailbox);
    TRY(take(box));
    std::string_view rest = text;
    std::uint64_t number = 0;
    while (!rest.empty()) {
        std::size_t line = std::min(rest.find('\n'), rest.size() - 1) + 1;
        std::size_t end = rest.find("\n\nFrom ", line - 1);
        std::string_view body = rest.substr(line, end == rest.npos ? rest.npos : end + 1 - line);
        if (end == rest.npos && body.ends_with("\n\n"))
            body.remove_suffix(1);  // the empty line behind the last message
        Item item = parse_mbox_message(util::trim_right(rest.substr(0, line)), body);
        item.source = util::concat(path, ", message ", ++number);
        TRY(take(std::move(item)));
        rest.remove_prefix(end == rest.npos ? rest.size() : end + 2);
    }
    return {};
}

namespace {

util::Result<void> read_below(const std::string& path, const std::string& name, int depth, const TakeItem& take)
{
    auto status = TRY(util::sys::lstat(path));
    if (S_ISREG(status.st_mode) && !name.empty())
        return read_mbox(path, name, take);
    if (!S_ISDIR(status.st_mode) || depth > int(store::max_mailbox_depth))
        return {};
    auto directory = TRY(util::sys::open(path, O_RDONLY | O_DIRECTORY));
    auto names = TRY(util::sys::list_directory(directory.get()));
    std::ranges::sort(names);
    for (const auto& child : names) {
        if (child.starts_with('.'))
            continue;
        // A mailbox that has children: "Lists" beside the directory "Lists.d".
        std::string_view level = child;
        auto kind = TRY(util::sys::lstat(util::concat(path, "/", child)));
        if (S_ISDIR(kind.st_mode) && level.ends_with(".d"))
            level.remove_suffix(2);
        TRY(read_below(util::concat(path, "/", child), name.empty() ? std::string(level) : util::concat(name, "/", level),
                       depth + 1, take));
    }
    return {};
}

}  // namespace

util::Result<void> read_mbox_tree(const std::string& path, const TakeItem& take)
{
    auto status = TRY(util::sys::stat(path));
    if (S_ISREG(status.st_mode))
        return read_mbox(path, "INBOX", take);
    return read_below(path, "", 0, take);
}

util::Result<MboxWriter> MboxWriter::create(std::string path)
{
    TRY(util::sys::mkdir(path, 0700));
    return MboxWriter(std::move(path));
}

util::Result<void> MboxWriter::take(const Item& item)
{
    if (item.kind == Item::Kind::Message)
        return util::sys::write_all(file_.get(), mbox_message(item));
    std::string path = root_;
    auto levels = util::split(item.mailbox, store::hierarchy_separator);
    for (std::size_t i = 0; i < levels.size(); ++i) {
        std::string name(levels[i]);
        // No name leads out of the directory, or is taken for one of the names made here.
        if (name.starts_with('.') || name.ends_with(".d"))
            return util::invalid(util::concat("mailbox ", item.mailbox, " cannot be the name of a file; export it as maildir"));
        path += util::concat("/", name);
        if (i + 1 < levels.size()) {
            path += ".d";
            auto made = util::sys::mkdir(path, 0700);
            if (!made.ok() && made.error().code != EEXIST)
                return made;
        }
    }
    file_ = TRY(util::sys::open(path, O_WRONLY | O_CREAT | O_EXCL));
    return {};
}

}  // namespace ternbox
