// The bytes of messages: from memory while they wait for the disk, else with one pread.
#include "libstore/journal.h"

#include "libutil/text.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>

namespace store {

std::string body_name(const Guid& guid)
{
    return util::hex({reinterpret_cast<const char*>(guid.bytes.data()), guid.bytes.size()});
}

std::string LogStore::body_path(const Guid& guid) const
{
    return util::concat(directory_, "/bodies/", body_name(guid));
}

util::Result<int> LogStore::segment_fd(std::uint32_t id)
{
    if (id == segments_.back().id)
        return active_.get();
    for (auto& open : open_segments_) {
        if (open.id == id) {
            open.used = ++use_;
            return open.fd.get();
        }
    }
    if (open_segments_.size() >= max_open_segments) {
        // Those that the helper thread still writes to stay open.
        auto oldest = open_segments_.end();
        for (auto it = open_segments_.begin(); it != open_segments_.end(); ++it)
            if ((oldest == open_segments_.end() || it->used < oldest->used) &&
                std::ranges::none_of(in_flight_, [&](const Job* job) { return job->segment == it->id; }))
                oldest = it;
        if (oldest != open_segments_.end())
            open_segments_.erase(oldest);
    }
    auto fd = TRY(util::sys::open(util::concat(directory_, "/", segment_name(id)), O_RDONLY));
    open_segments_.push_back({id, ++use_, std::move(fd)});
    return open_segments_.back().fd.get();
}

// What no finished job has written yet is read from the jobs.
std::optional<std::string_view> LogStore::in_memory(std::uint32_t segment, std::uint64_t offset) const
{
    if (segment == segments_.back().id && !pending_.empty() && offset >= end_ - pending_.size())
        return std::string_view(pending_).substr(offset - (end_ - pending_.size()));
    for (const Job* job : in_flight_)
        if (job->segment == segment && offset >= job->offset && offset < job->offset + job->bytes.size())
            return std::string_view(job->bytes).substr(offset - job->offset);
    return std::nullopt;
}

std::uint64_t LogStore::readable_size(std::uint32_t segment) const
{
    if (segment == segments_.back().id)
        return written_;
    for (const Job* job : in_flight_)
        if (job->segment == segment)
            return job->offset;
    return UINT64_MAX;
}

// `length` bytes of a record; the view holds until the next call or change.
//
// Who walks through a mailbox reads records that lie behind each other: they come a window at a
// time, and the window's pages are those that the processor's cache still has.
util::Result<std::string_view> LogStore::bytes_at(const Content& content, std::uint64_t length)
{
    if (auto bytes = in_memory(content.segment, content.offset)) {
        if (bytes->size() < length)
            return util::permanent("message record is cut short");
        return bytes->substr(0, length);
    }
    if (window_segment_ == content.segment && content.offset >= window_offset_ &&
        content.offset + length <= window_offset_ + window_.size())
        return std::string_view(window_).substr(content.offset - window_offset_, length);

    int fd = TRY(segment_fd(content.segment));
    bool ahead = last_segment_ == content.segment && content.offset >= last_read_ &&
                 content.offset - last_read_ < dense_enough;
    last_segment_ = content.segment;
    last_read_ = content.offset + length;
    std::uint64_t limit = readable_size(content.segment) - content.offset;
    if (ahead && length < read_window) {
        window_.resize(std::min<std::uint64_t>(read_window, limit));
        window_segment_ = content.segment;
        window_offset_ = content.offset;
        auto got = util::sys::pread(fd, window_, content.offset);
        window_.resize(got.ok() ? *got : 0);
        if (window_.size() >= length)
            return std::string_view(window_).substr(0, length);
    }
    if (read_buffer_.size() < length)
        read_buffer_.resize(length);
    std::size_t got = TRY(util::sys::pread(fd, std::span(read_buffer_).first(length), content.offset));
    if (got != length)
        return util::permanent("message record is cut short");
    return std::string_view(read_buffer_).substr(0, length);
}

util::Result<const Content*> LogStore::locate(const Entry& entry)
{
    TRY(load_contents());
    const Content* content = state_.content(entry.content);
    if (!content)
        return util::permanent("the message's record is damaged or missing");
    return content;
}

namespace {

// The message record at the start of `bytes`, if it is whole and the right one.
util::Result<MessageRecord> checked_record(std::string_view bytes, const Entry& entry, const Content& content,
                                           std::uint64_t tag)
{
    auto header = decode_header(bytes, tag);
    if (!header || header->type != Type::Arrival || header->lsn != content.lsn ||
        record_header_size + header->meta_length > content.head || content.head > bytes.size())
        return util::permanent("the message's record is damaged");
    std::string_view meta = bytes.substr(record_header_size, header->meta_length);
    if (util::crc32c(meta) != header->meta_checksum)
        return util::permanent("the message's record is damaged");
    auto record = MessageRecord::decode(meta);
    if (!record || record->entry.size != entry.size || record->entry.guid != entry.guid ||
        record_header_size + header->meta_length + record->rendered_size() != content.head)
        return util::permanent("the message's record is damaged");
    return std::move(*record);
}

// Checks the blocks of content that hold [offset, offset + length) and cuts that part out.
// `content` begins at the block that holds `offset`.
util::Result<std::string_view> checked_part(std::string_view content, const MessageRecord& record,
                                            std::uint64_t offset, std::uint64_t length)
{
    std::uint64_t block = offset / content_block;
    std::uint64_t start = block * content_block;
    for (std::string_view rest = content; !rest.empty();
         rest.remove_prefix(std::min(rest.size(), content_block)), ++block)
        if (block >= record.block_checksums.size() ||
            util::crc32c(rest.substr(0, content_block)) != record.block_checksums[block])
            return util::permanent("the message's content is damaged");
    return content.substr(offset - start, length);
}

}  // namespace

util::Result<std::string> Store::read_content(const Entry& entry, std::uint64_t offset, std::uint64_t length)
{
    std::string content;
    TRY(append_content(entry, offset, length, content));
    return content;
}

util::Result<void> LogStore::append_content(const Entry& entry, std::uint64_t offset, std::uint64_t length,
                                            std::string& out)
{
    const Content* content = TRY(locate(entry));
    offset = std::min(offset, entry.size);
    length = std::min(length, entry.size - offset);
    auto bytes = TRY(bytes_at(*content, content->head + (content->in_file ? 0 : entry.size)));
    auto record = TRY(checked_record(bytes, entry, *content, tag_));
    if (content->in_file)
        return append_file(entry, record, offset, length, out);
    if (record.in_file)
        return util::permanent("the message's record is damaged");
    std::uint64_t start = offset / content_block * content_block;
    std::uint64_t end = std::min(entry.size, padded_to_block(offset + length));
    out += TRY(checked_part(bytes.substr(content->head + start, end - start), record, offset, length));
    return {};
}

util::Result<void> LogStore::append_file(const Entry& entry, const MessageRecord& record,
                                         std::uint64_t offset, std::uint64_t length, std::string& out) const
{
    std::uint64_t start = offset / content_block * content_block;
    std::uint64_t end = std::min(entry.size, padded_to_block(offset + length));
    auto fd = TRY(util::sys::open(body_path(entry.guid), O_RDONLY));
    std::size_t before = out.size();
    out.resize(before + (end - start));
    auto part = std::span(out).subspan(before);
    auto failed = [&](util::Error error) {
        out.resize(before);
        return error;
    };
    for (std::size_t got = 0; got < part.size();) {
        auto more = util::sys::pread(fd.get(), part.subspan(got), start + got);
        if (!more.ok())
            return failed(more.take_error());
        if (*more == 0)
            return failed(util::permanent("the message's file is cut short"));
        got += *more;
    }
    auto wanted = checked_part({part.data(), part.size()}, record, offset, length);
    if (!wanted.ok())
        return failed(wanted.take_error());
    std::memmove(part.data(), wanted->data(), wanted->size());
    out.resize(before + wanted->size());
    return {};
}

util::Result<RenderedView> LogStore::read_rendered(const Entry& entry)
{
    const Content* content = TRY(locate(entry));
    auto bytes = TRY(bytes_at(*content, content->head));
    auto record = TRY(checked_record(bytes, entry, *content, tag_));
    std::string_view texts = bytes.substr(content->head - record.rendered_size(), record.rendered_size());
    if (util::crc32c(texts) != record.rendered_checksum)
        return util::permanent("the message's record is damaged");
    RenderedView rendered;
    std::size_t i = 0;
    for (std::string_view* text : {&rendered.envelope, &rendered.body_structure, &rendered.body,
                                   &rendered.header_cache, &rendered.preview}) {
        *text = texts.substr(0, record.rendered_lengths[i]);
        texts.remove_prefix(record.rendered_lengths[i++]);
    }
    rendered.sent_seconds = record.sent_seconds;
    rendered.header_size = record.header_size;
    return rendered;
}

void LogStore::release_memory()
{
    window_ = {};
    read_buffer_ = {};
    state_.kept.drop_spare();
}

}  // namespace store
