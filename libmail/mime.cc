// The MIME parser: recursive over parts, where each part ends with the delimiter line that closes
// it or one of its ancestors, or with the message.
#include "libmail/mime.h"

#include "libmail/header.h"
#include "libutil/text.h"

#include <algorithm>
#include <cstring>

namespace mail {

namespace {

// The delimiter line at which a part ended.
struct Stop {
    std::size_t level = 0;        // which open boundary, counted from 1; 0 = end of the message
    bool closing = false;         // "--boundary--"
    std::size_t content_end = 0;  // where what came before ends, without the line end
    std::size_t line = 0;         // where the delimiter line begins
    std::size_t next = 0;         // and the line after it
    std::uint64_t lines = 0;      // line ends in the message before content_end
};

class MimeParser {
public:
    explicit MimeParser(std::string_view message) : text_(message) {}

    std::vector<Part> run()
    {
        parts_.reserve(4);
        read_entity(Part::none, false, 0);
        return std::move(parts_);
    }

private:
    std::uint32_t add_part(std::uint32_t parent)
    {
        auto index = std::uint32_t(parts_.size());
        Part& part = parts_.emplace_back();
        part.parent = parent;
        part.header = at_;
        if (parent != Part::none) {
            if (parts_[parent].first_child == Part::none)
                parts_[parent].first_child = index;
            else
                parts_[last_child_[parent]].next_sibling = index;
            last_child_[parent] = index;
        }
        last_child_.push_back(index);
        return index;
    }

    // Does a delimiter line of an open multipart begin at `at`?  RFC 2046 §5.1.1: it is enough that
    // the line begins with "--" and the boundary; where one boundary begins with another, the
    // longest that fits is meant, among equal ones the innermost.
    bool is_delimiter(std::size_t at, Stop& stop) const
    {
        if (boundaries_.empty() || text_.substr(at, 2) != "--")
            return false;
        std::string_view candidate = text_.substr(at + 2, max_boundary_length + 2);
        std::size_t length = 0;
        stop.level = 0;
        for (std::size_t level = boundaries_.size(); level > 0; --level) {
            const std::string& boundary = boundaries_[level - 1];
            if (boundary.size() > length && candidate.starts_with(boundary)) {
                stop.level = level;
                length = boundary.size();
            }
        }
        if (stop.level == 0)
            return false;
        stop.closing = candidate.substr(length, 2) == "--";
        stop.line = at;
        return true;
    }

    std::size_t next_line(std::size_t at) const
    {
        const void* found = std::memchr(text_.data() + at, '\n', text_.size() - at);
        return found ? std::size_t(static_cast<const char*>(found) - text_.data()) + 1 : text_.size();
    }

    // Completes `stop` for the delimiter line at stop.line; `lines_` counts the line ends before it.
    void finish_stop(Stop& stop)
    {
        stop.next = next_line(stop.line);
        stop.content_end = stop.line;
        stop.lines = lines_;
        if (stop.line > 0 && text_[stop.line - 1] == '\n') {
            --stop.lines;
            stop.content_end -= stop.line > 1 && text_[stop.line - 2] == '\r' ? 2 : 1;
        }
        bool ended = stop.next > stop.line && text_[stop.next - 1] == '\n';
        lines_ += ended ? 1 : 0;
        at_ = stop.next;
    }

    // From at_ to the next delimiter line of an open boundary.
    Stop scan_body()
    {
        Stop stop;
        if (boundaries_.empty()) {
            lines_ += count_lines(text_.substr(at_));
            at_ = text_.size();
        }
        while (at_ < text_.size()) {
            if (text_[at_] == '-' && is_delimiter(at_, stop)) {
                finish_stop(stop);
                return stop;
            }
            at_ = next_line(at_);
            lines_ += text_[at_ - 1] == '\n' ? 1 : 0;
        }
        stop.level = 0;
        stop.content_end = stop.line = stop.next = text_.size();
        stop.lines = lines_;
        return stop;
    }

    void read_field(Part& part, const FieldView& field)
    {
        constexpr std::string_view prefix = "content-";
        if (field.name.size() <= prefix.size() || !util::starts_with_nocase(field.name, prefix))
            return;
        std::string_view name = field.name.substr(prefix.size());
        auto set = [&](std::string_view wanted, std::string_view& slot) {
            if (!slot.data() && util::equal_nocase(name, wanted))
                slot = field.value;
        };
        switch (util::to_lower(name.front())) {
        case 't':
            set("transfer-encoding", part.transfer_encoding);
            if (!part.type_given && util::equal_nocase(name, "type"))
                if (auto type = parse_media_type(field.value)) {
                    part.type = std::move(*type);
                    part.type_given = true;
                }
            break;
        case 'd':
            set("description", part.description);
            set("disposition", part.disposition);
            break;
        case 'i':
            set("id", part.id);
            break;
        case 'l':
            set("language", part.language);
            set("location", part.location);
            break;
        case 'm':
            set("md5", part.md5);
            break;
        default:
            break;
        }
    }

    // The header at at_.  True: it was cut short by a delimiter line, which `stop` tells.
    bool read_header(Part& part, Stop& stop)
    {
        HeaderReader reader(text_.substr(at_));
        FieldView field;
        while (reader.next(field)) {
            if (field.text.starts_with("--") && is_delimiter(at_ + field.offset, stop)) {
                std::uint64_t lines_before = lines_;
                lines_ += count_lines(text_.substr(at_, field.offset));
                finish_stop(stop);
                if (stop.content_end < part.header) {  // not even an empty line
                    stop.content_end = part.header;
                    stop.lines = lines_before;
                }
                part.body = part.end = stop.content_end;
                lines_at_body_ = stop.lines;
                return true;
            }
            read_field(part, field);
        }
        lines_ += count_lines(text_.substr(at_, reader.size()));
        lines_at_body_ = lines_;
        at_ += reader.size();
        part.body = at_;
        return false;
    }

    // What the part is, now that its header is known; for a multipart, `boundary` is set.
    void classify(Part& part, bool in_digest, std::size_t depth, std::string& boundary)
    {
        if (!part.type_given) {
            part.type.type = in_digest ? "message" : "text";
            part.type.subtype = in_digest ? "rfc822" : "plain";
        }
        bool room = depth < max_mime_depth && parts_.size() < max_mime_parts;
        if (part.type.is_type("multipart")) {
            const MimeParameter* parameter = part.type.find("boundary");
            bool usable = parameter && !parameter->value.empty() &&
                          parameter->value.size() <= max_boundary_length;
            if (usable && room) {
                boundary = std::string(util::trim_right(parameter->value));
                part.kind = boundary.empty() ? Part::Kind::Leaf : Part::Kind::Multipart;
            }
            if (part.kind == Part::Kind::Leaf)
                part.type = {"text", "plain", {}};
        } else if (part.type.is("message", "rfc822") || part.type.is("message", "global")) {
            if (room)
                part.kind = Part::Kind::Message;
            else
                part.type = {"application", "octet-stream", {}};
        }
    }

    Stop read_parts(std::uint32_t index, std::string boundary, std::size_t depth)
    {
        bool digest = util::equal_nocase(parts_[index].type.subtype, "digest");
        boundaries_.push_back(std::move(boundary));
        std::size_t level = boundaries_.size();
        Stop stop = scan_body();
        while (stop.level == level && !stop.closing)
            stop = parts_.size() < max_mime_parts ? read_entity(index, digest, depth + 1) : scan_body();
        boundaries_.pop_back();
        return stop.level == level ? scan_body() : stop;
    }

    // A message/rfc822 whose header a delimiter line cut short embeds a message of no bytes.
    void add_empty_message(std::uint32_t parent, std::size_t where)
    {
        Part& part = parts_[add_part(parent)];
        part.header = part.body = part.end = where;
        part.type = {"text", "plain", {}};
    }

    // The entity at at_: header, body, and the line that ended it.
    Stop read_entity(std::uint32_t parent, bool in_digest, std::size_t depth)
    {
        std::uint32_t index = add_part(parent);
        Stop stop;
        std::string boundary;
        bool cut = read_header(parts_[index], stop);
        std::uint64_t lines_before = lines_at_body_;
        classify(parts_[index], in_digest, depth, boundary);
        if (!cut && parts_[index].kind == Part::Kind::Multipart)
            stop = read_parts(index, std::move(boundary), depth);
        else if (!cut && parts_[index].kind == Part::Kind::Leaf)
            stop = scan_body();
        else if (!cut)
            stop = read_entity(index, false, depth + 1);
        else if (parts_[index].kind == Part::Kind::Message)
            add_empty_message(index, stop.content_end);

        Part& part = parts_[index];
        if (stop.content_end < part.body) {  // the body is not even an empty line
            stop.content_end = part.body;
            stop.lines = lines_before;
        }
        part.end = stop.content_end;
        part.body_lines = stop.lines - std::min(stop.lines, lines_before);
        return stop;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::uint64_t lines_ = 0;          // line ends before at_
    std::uint64_t lines_at_body_ = 0;  // of the header read last
    std::vector<std::string> boundaries_;
    std::vector<Part> parts_;
    std::vector<std::uint32_t> last_child_;
};

}  // namespace

const Part* MimeTreeView::child(const Part& part, std::uint64_t number) const
{
    std::uint32_t index = part.first_child;
    while (index != Part::none && number > 1) {
        index = parts[index].next_sibling;
        --number;
    }
    return index == Part::none || number == 0 ? nullptr : &parts[index];
}

MimeTreeView parse_mime(std::string_view message)
{
    return {MimeParser(message).run()};
}

std::uint64_t count_lines(std::string_view text)
{
    constexpr std::uint64_t low = 0x7F7F7F7F7F7F7F7FU;
    std::uint64_t lines = 0;
    const char* at = text.data();
    std::size_t left = text.size();
    while (left >= 8) {
        // Eight bytes at a time, one counter in each byte of `sums`, which 255 rounds do not overflow.
        std::uint64_t sums = 0;
        for (int round = 0; round < 255 && left >= 8; ++round, at += 8, left -= 8) {
            std::uint64_t word;
            std::memcpy(&word, at, 8);
            word ^= 0x0A0A0A0A0A0A0A0AU;
            // The high bit of each byte that is zero now, and of no other.
            sums += ~(((word & low) + low) | word | low) >> 7;
        }
        constexpr std::uint64_t even = 0x00FF00FF00FF00FFU;
        std::uint64_t pairs = (sums & even) + ((sums >> 8) & even);
        lines += (pairs * 0x0001000100010001U) >> 48;
    }
    for (; left > 0; ++at, --left)
        lines += *at == '\n' ? 1 : 0;
    return lines;
}

}  // namespace mail
