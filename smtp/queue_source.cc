#include "smtp/queue_source.h"

#include "libmail/seven_bit.h"

#include <algorithm>

namespace smtp {

namespace {

class QueueSource final : public Source {
public:
    explicit QueueSource(const queue::Reader& reader) : content_(reader.content()) {}
    util::Result<std::string_view> next() override { return content_.next(); }

private:
    queue::Content content_;
};

class TextSource final : public Source {
public:
    explicit TextSource(std::string text) : text_(std::move(text)) {}
    util::Result<std::string_view> next() override
    {
        constexpr std::size_t piece = 64 * 1024;
        std::string_view out = std::string_view(text_).substr(at_, piece);
        at_ += out.size();
        return out;
    }

private:
    std::string text_;
    std::size_t at_ = 0;
};

// A changed header, the piece of the content in which it ends, and the pieces behind that.
class ChangedSource final : public Source {
public:
    ChangedSource(std::string header, std::string rest, std::unique_ptr<queue::Content> content,
                  std::unique_ptr<BodyChange> body)
        : header_(std::move(header)), rest_(std::move(rest)), content_(std::move(content)), body_(std::move(body))
    {
    }
    util::Result<std::string_view> next() override
    {
        if (!header_given_ && !header_.empty()) {
            header_given_ = true;
            return std::string_view(header_);
        }
        if (!body_)
            return next_piece();
        for (;;) {
            std::string_view piece = TRY(next_piece());
            changed_.clear();
            if (piece.empty()) {
                TRY(body_->finish(changed_));
                body_.reset();
                return std::string_view(changed_);
            }
            TRY(body_->feed(piece, changed_));
            if (!changed_.empty())
                return std::string_view(changed_);
        }
    }

private:
    util::Result<std::string_view> next_piece()
    {
        if (!rest_given_ && !rest_.empty()) {
            rest_given_ = true;
            return std::string_view(rest_);
        }
        return content_->next();
    }

    std::string header_;
    std::string rest_;
    bool header_given_ = false;
    bool rest_given_ = false;
    std::unique_ptr<queue::Content> content_;
    std::unique_ptr<BodyChange> body_;
    std::string changed_;
};

util::Result<std::unique_ptr<Source>> open_changed(const queue::Reader& reader, const ContentChange& change)
{
    auto content = std::make_unique<queue::Content>(reader.content());
    std::string header;
    while (header.size() < reader.body_offset()) {
        std::string_view piece = TRY(content->next());
        if (piece.empty())
            break;
        header += piece;
    }
    std::size_t size = std::min<std::size_t>(header.size(), reader.body_offset());
    std::string rest = header.substr(size);
    header.resize(size);
    auto body = change.body ? change.body(header) : nullptr;
    if (change.header)
        header = TRY(change.header(header));
    return std::unique_ptr<Source>(
        std::make_unique<ChangedSource>(std::move(header), std::move(rest), std::move(content), std::move(body)));
}

util::Result<std::string> change_all(std::string content, std::size_t header_size, const ContentChange& change)
{
    std::string_view header = std::string_view(content).substr(0, header_size);
    std::string changed = change.header ? TRY(change.header(header)) : std::string(header);
    auto body = change.body ? change.body(header) : nullptr;
    std::string_view rest = std::string_view(content).substr(header.size());
    if (!body)
        return changed += rest;
    TRY(body->feed(rest, changed));
    TRY(body->finish(changed));
    return changed;
}

}  // namespace

util::Result<std::unique_ptr<Source>> open_queue_source(const queue::Reader& reader, bool seven_bit,
                                                        const ContentChange& change, std::uint64_t max_converted)
{
    bool changes = change.any() && reader.body_offset() <= max_changed_header;
    if (!seven_bit && changes)
        return open_changed(reader, change);
    if (!seven_bit)
        return std::unique_ptr<Source>(std::make_unique<QueueSource>(reader));
    if (reader.content_size() > max_converted)
        return util::permanent("8-bit content that is too large to be converted for a server without 8BITMIME");
    std::string content = TRY(reader.read_content(max_converted));
    if (changes)
        content = TRY(change_all(std::move(content), std::size_t(reader.body_offset()), change));
    return std::unique_ptr<Source>(std::make_unique<TextSource>(mail::to_seven_bit(content)));
}

util::Result<bool> has_utf8_header(const queue::Reader& reader)
{
    std::uint64_t left = reader.body_offset();
    queue::Content content = reader.content();
    while (left > 0) {
        std::string_view piece = TRY(content.next());
        if (piece.empty())
            break;
        piece = piece.substr(0, left);
        if (!util::is_ascii(piece))
            return true;
        left -= piece.size();
    }
    return false;
}

}  // namespace smtp
