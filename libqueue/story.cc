// The story: lines of name=value, each with its checksum.
#include "libqueue/story.h"

#include "libutil/crc32c.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>

namespace queue {

namespace {

constexpr std::string_view kind_names[] = {"attempt",  "died",   "warned",   "notified", "held",
                                           "released", "expire", "reported", "note"};
constexpr std::string_view disposition_names[] = {"delivered", "deferred", "bounced"};
constexpr std::size_t crc_digits = 8;

// Tab, newline and backslash have a meaning in a line; whatever else is not printable ASCII or
// above is \ooo as well, so that a terminal may show the file.
void put_value(std::string& out, std::string_view name, std::string_view value)
{
    if (value.empty())
        return;
    util::append(out, out.empty() ? "" : "\t", name, '=');
    for (char c : value.substr(0, max_story_line_size / 4)) {
        auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f && c != '\\')
            out += c;
        else
            util::append(out, '\\', byte >> 6, (byte >> 3) & 7, byte & 7);
    }
}

util::Result<std::string> get_value(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            out += text[i];
            continue;
        }
        unsigned byte = 0;
        for (std::size_t digit = 1; digit <= 3; ++digit) {
            if (i + digit >= text.size() || text[i + digit] < '0' || text[i + digit] > '7')
                return util::invalid("a wrong escape");
            byte = byte * 8 + static_cast<unsigned>(text[i + digit] - '0');
        }
        out += static_cast<char>(byte & 0xff);
        i += 3;
    }
    return out;
}

template <typename Enum, std::size_t count>
util::Result<Enum> find_name(const std::string_view (&names)[count], std::string_view name)
{
    for (std::size_t i = 0; i < count; ++i)
        if (names[i] == name)
            return static_cast<Enum>(i);
    return util::invalid("an unknown word");
}

util::Result<void> take_field(StoryEntry& entry, std::string_view name, std::string_view raw)
{
    std::string value = TRY(get_value(raw));
    if (name == "kind") {
        // A kind of a later release is a note to us.
        entry.kind = find_name<StoryEntry::Kind>(kind_names, value).value_or(StoryEntry::Kind::Note);
    } else if (name == "time") {
        entry.time = TRY(util::parse_signed(value));
    } else if (name == "recipient") {
        entry.recipient = static_cast<std::uint32_t>(TRY(util::parse_unsigned(value, UINT32_MAX)));
    } else if (name == "text") {
        entry.text = std::move(value);
    } else if (name == "disposition") {
        entry.status.emplace().disposition = TRY(find_name<ipc::Disposition>(disposition_names, value));
    } else if (entry.status) {
        if (name == "dsn")
            entry.status->dsn = std::move(value);
        else if (name == "status")
            entry.status->text = std::move(value);
        else if (name == "relay")
            entry.status->relay = std::move(value);
        else if (name == "diagnostic")
            entry.status->diagnostic = std::move(value);
        else if (name == "remote_mta")
            entry.status->remote_mta = std::move(value);
        else if (name == "action")
            entry.status->action = std::move(value);
    }
    return {};
}

util::Result<StoryEntry> decode_line(std::string_view line)
{
    if (line.size() < crc_digits + 1 || line[crc_digits] != ' ')
        return util::invalid("not a line of a story");
    std::string crc = TRY(util::unhex(line.substr(0, crc_digits)));
    std::string_view payload = line.substr(crc_digits + 1);
    std::uint32_t expected = 0;
    for (char c : crc)
        expected = (expected << 8) | static_cast<unsigned char>(c);
    if (util::crc32c(payload) != expected)
        return util::invalid("the line does not match its checksum");
    StoryEntry entry;
    for (std::string_view field : util::split(payload, '\t')) {
        auto [name, value] = util::split_first(field, '=');
        TRY(take_field(entry, name, value));
    }
    return entry;
}

}  // namespace

std::string_view name_of(StoryEntry::Kind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

std::string encode_story_line(const StoryEntry& entry)
{
    std::string payload;
    put_value(payload, "kind", name_of(entry.kind));
    put_value(payload, "time", util::concat(entry.time));
    if (entry.recipient)
        put_value(payload, "recipient", util::concat(*entry.recipient));
    if (entry.status) {
        put_value(payload, "disposition", disposition_names[static_cast<std::size_t>(entry.status->disposition)]);
        put_value(payload, "dsn", entry.status->dsn);
        put_value(payload, "status", entry.status->text);
        put_value(payload, "relay", entry.status->relay);
        put_value(payload, "diagnostic", entry.status->diagnostic);
        put_value(payload, "remote_mta", entry.status->remote_mta);
        put_value(payload, "action", entry.status->action);
    }
    put_value(payload, "text", entry.text);
    std::uint32_t crc = util::crc32c(payload);
    char bytes[4];
    for (int i = 0; i < 4; ++i)
        bytes[i] = static_cast<char>(crc >> (24 - 8 * i));
    return util::concat('\n', util::hex({bytes, sizeof bytes}), ' ', payload, '\n');
}

Story decode_story(std::string_view bytes)
{
    std::vector<std::string_view> lines = util::split(bytes, '\n');
    std::erase_if(lines, [](std::string_view line) { return line.empty(); });
    if (lines.size() > max_story_lines)
        lines.erase(lines.begin() + max_story_lines / 2, lines.end() - max_story_lines / 2);
    Story story;
    for (std::string_view line : lines) {
        if (auto entry = decode_line(line))
            story.entries.push_back(entry.take());
        else
            ++story.damaged;
    }
    return story;
}

util::Result<void> append_story(int fd, const StoryEntry& entry)
{
    // Not O_APPEND: marks are written through the same descriptor, and Linux would append them too.
    struct stat status = TRY(util::sys::fstat(fd));
    auto size = static_cast<std::uint64_t>(status.st_size);
    auto written = util::sys::pwrite_all(fd, encode_story_line(entry), size);
    if (!written)
        (void)util::sys::ftruncate(fd, size);   // a full disk may have taken a part of it
    return written;
}

}  // namespace queue
