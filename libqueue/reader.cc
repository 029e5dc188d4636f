// Reader: validates a queue file part by part.
#include "libqueue/reader.h"

#include "libqueue/fields.h"
#include "libutil/crc32c.h"
#include "libutil/sys.h"

#include <algorithm>

namespace queue {

namespace {

// Read at once: all of an ordinary message for who passes it on, its envelope for who does not.
constexpr std::size_t head_size_everything = 128 * 1024;
constexpr std::size_t head_size_envelope = 16 * 1024;
constexpr std::size_t piece_size = 64 * 1024;

// Fills `out` from `offset`; the file has been seen to be large enough, so less is an error.
util::Result<void> read_exactly(int fd, std::uint64_t offset, std::uint64_t size, std::string& out)
{
    out.resize(size);
    std::size_t done = 0;
    while (done < size) {
        std::size_t got = TRY(util::sys::pread(fd, std::span(out).subspan(done), offset + done));
        if (got == 0)
            return util::invalid("the file ends too early");
        done += got;
    }
    return {};
}

}  // namespace

util::Result<Reader> Reader::open(int fd, Check check)
{
    Reader reader;
    reader.fd_ = fd;
    reader.wants_recipients_ = check != Check::Content;
    TRY(reader.load(check));
    return reader;
}

util::Result<void> Reader::load(Check check)
{
    struct stat status = TRY(util::sys::fstat(fd_));
    if (!S_ISREG(status.st_mode))
        return util::invalid("not a file");
    file_size_ = static_cast<std::uint64_t>(status.st_size);
    std::size_t wanted = check == Check::Envelope ? head_size_envelope : head_size_everything;
    TRY(read_exactly(fd_, 0, std::min<std::uint64_t>(file_size_, wanted), head_));
    superblock_ = TRY(format::decode_superblock(head_));
    if (file_size_ < superblock_.story_offset())
        return util::invalid("the end record is missing");

    // The trailer and the end record stand together.
    std::string storage;
    std::string_view tail = TRY(part(superblock_.trailer_offset(), superblock_.trailer_size + format::end_size, storage));
    auto end = TRY(format::decode_end(tail.substr(superblock_.trailer_size)));

    std::string envelope_storage;
    std::string_view envelope = TRY(part(format::superblock_size,
                                         superblock_.content_offset - format::superblock_size, envelope_storage));
    TRY(read_envelope(envelope));
    if (envelope_crc_ != end.envelope_crc)
        return util::invalid("the envelope does not match its checksum");

    std::size_t padding = (4 - superblock_.trailer_offset() % 4) % 4;
    if (padding > superblock_.trailer_size)
        return util::invalid("the trailer is too short");
    TRY(read_trailer(tail.substr(0, superblock_.trailer_size), padding));
    if (trailer_crc_ != end.trailer_crc)
        return util::invalid("the trailer does not match its checksum");
    apply_redirect();
    TRY(check_patches());
    return check == Check::Envelope ? util::Result<void>() : check_content(end.content_crc);
}

util::Result<std::string_view> Reader::part(std::uint64_t offset, std::uint64_t size, std::string& storage)
{
    if (offset + size <= head_.size())
        return std::string_view(head_).substr(offset, size);
    TRY(read_exactly(fd_, offset, size, storage));
    return std::string_view(storage);
}

util::Result<void> Reader::read_recipient(const format::RecordView& record, std::uint64_t region_offset)
{
    // A crash may leave half of a mark: that recipient gets a second copy rather than none.
    std::string_view mark = record.payload.substr(0, format::mark_size);
    std::size_t written = std::size_t(std::ranges::mismatch(mark, format::mark_done).in1 - mark.begin());
    if (mark.size() != format::mark_size || mark.substr(written) != format::mark_waiting.substr(written))
        return util::invalid("a recipient's mark is neither wait nor done");
    if (!wants_recipients_)
        return {};
    if (recipients_.size() == format::max_recipients)
        return util::invalid("too many recipients");
    auto recipient = TRY(decode_fields<ipc::Recipient>(record.payload.substr(format::mark_size)));
    recipients_.push_back({std::move(recipient), mark == format::mark_done, region_offset + record.offset});
    return {};
}

namespace {

// The checksum of a region in which marks count as waiting.
class RegionSum {
public:
    explicit RegionSum(std::string_view region) : region_(region) {}

    void mark_at(std::size_t offset)
    {
        sum_to(offset);
        crc_ = util::crc32c(format::mark_waiting, crc_);
        done_ = offset + format::mark_size;
    }
    std::uint32_t finish()
    {
        sum_to(region_.size());
        return crc_;
    }

private:
    void sum_to(std::size_t offset)
    {
        crc_ = util::crc32c(region_.substr(done_, offset - done_), crc_);
        done_ = offset;
    }

    std::string_view region_;
    std::size_t done_ = 0;
    std::uint32_t crc_ = 0;
};

}  // namespace

util::Result<void> Reader::read_envelope(std::string_view region)
{
    RegionSum sum(region);
    bool has_envelope = false;
    for (format::RecordCursor cursor(region); !cursor.at_end();) {
        auto record = TRY(cursor.next());
        if (record.type == static_cast<char>(format::RecordType::Recipient)) {
            TRY(read_recipient(record, format::superblock_size));
            sum.mark_at(record.offset);
        } else if (record.type == static_cast<char>(format::RecordType::Envelope)) {
            if (has_envelope)
                return util::invalid("two envelopes");
            envelope_ = TRY(decode_fields<ipc::Envelope>(record.payload));
            has_envelope = true;
        }
    }
    if (!has_envelope)
        return util::invalid("no envelope");
    envelope_crc_ = sum.finish();
    return {};
}

util::Result<void> Reader::read_trailer(std::string_view region, std::size_t padding)
{
    RegionSum sum(region);
    for (format::RecordCursor cursor(region, padding); !cursor.at_end();) {
        auto record = TRY(cursor.next());
        if (record.type == static_cast<char>(format::RecordType::Recipient)) {
            TRY(read_recipient(record, superblock_.trailer_offset()));
            sum.mark_at(record.offset);
        } else if (record.type == static_cast<char>(format::RecordType::Patch)) {
            TRY(read_patch(record.payload));
        } else if (record.type == static_cast<char>(format::RecordType::Summary)) {
            summary_ = TRY(decode_fields<Summary>(record.payload));
        } else if (record.type == static_cast<char>(format::RecordType::Alias) && wants_recipients_) {
            if (recipients_.size() + aliases_.size() >= format::max_recipients)
                return util::invalid("too many recipients");
            aliases_.push_back(TRY(decode_fields<ipc::Recipient>(record.payload)));
        }
    }
    trailer_crc_ = sum.finish();
    return {};
}

void Reader::apply_redirect()
{
    if (summary_.redirect.empty() || recipients_.empty())
        return;
    recipients_.resize(1);
    aliases_.clear();
    ipc::Recipient& recipient = recipients_.front().recipient;
    if (recipient.original.empty())
        recipient.original = util::concat("rfc822;", recipient.address);
    recipient.address = summary_.redirect;
    recipient.forwarded = true;
}

util::Result<void> Reader::read_patch(std::string_view payload)
{
    constexpr std::size_t fixed = sizeof(std::uint64_t) + sizeof(std::uint32_t);
    if (payload.size() < fixed || patches_.size() == format::max_patches)
        return util::invalid("a patch is too short, or one too many");
    patches_.push_back({format::get_u64(payload, 0), format::get_u32(payload, sizeof(std::uint64_t)),
                        std::string(payload.substr(fixed))});
    return {};
}

util::Result<void> Reader::check_patches()
{
    std::uint64_t at = 0;
    patched_size_ = superblock_.content_size;
    for (const Patch& patch : patches_) {
        if (patch.offset < at || patch.offset > superblock_.content_size ||
            patch.length > superblock_.content_size - patch.offset)
            return util::invalid("a patch lies outside the content or over another");
        at = patch.offset + patch.length;
        patched_size_ = patched_size_ - patch.length + patch.replacement.size();
    }
    if (summary_.body_offset > superblock_.content_size)
        return util::invalid("the body begins behind the content");
    return {};
}

util::Result<void> Reader::check_content(std::uint32_t expected)
{
    Content pieces = raw_content();
    std::uint32_t crc = 0;
    for (;;) {
        std::string_view piece = TRY(pieces.next());
        if (piece.empty())
            break;
        crc = util::crc32c(piece, crc);
    }
    if (crc != expected)
        return util::invalid("the content does not match its checksum");
    return {};
}

Content Reader::content() const
{
    return Content(fd_, head_, superblock_.content_offset, superblock_.content_size, patches_, patched_size_);
}

util::Result<std::string> Reader::end_of_content(std::size_t count) const
{
    std::string end;
    std::uint64_t at = superblock_.content_size;   // what is behind this place of the content as received is in `end`
    auto take_from = [&](std::uint64_t begin) -> util::Result<void> {
        std::uint64_t length = std::min<std::uint64_t>(at - begin, count - end.size());
        std::string piece;
        TRY(read_exactly(fd_, superblock_.content_offset + at - length, length, piece));
        end.insert(0, piece);
        return {};
    };
    for (auto patch = patches_.rbegin(); patch != patches_.rend() && end.size() < count; ++patch) {
        TRY(take_from(patch->offset + patch->length));
        std::size_t length = std::min(patch->replacement.size(), count - end.size());
        end.insert(0, patch->replacement.substr(patch->replacement.size() - length));
        at = patch->offset;
    }
    TRY(take_from(0));
    return end;
}

Content Reader::raw_content() const
{
    return Content(fd_, head_, superblock_.content_offset, superblock_.content_size, {}, superblock_.content_size);
}

std::uint64_t Reader::body_offset() const
{
    std::uint64_t offset = summary_.body_offset;
    bool no_body = offset == superblock_.content_size;
    // Where the empty line was missing it is a patch: the first one at the body's beginning.
    auto adds_empty_line = [&](const Patch& patch) {
        std::string_view text = patch.replacement;
        return patch.offset == summary_.body_offset && patch.length == 0 && (text == "\r\n" || text.ends_with("\r\n\r\n"));
    };
    for (const Patch& patch : patches_)
        if (patch.offset < summary_.body_offset || no_body || adds_empty_line(patch))
            offset = offset - patch.length + patch.replacement.size();
    return offset;
}

util::Result<std::string> Reader::read_content(std::size_t limit) const
{
    if (patched_size_ > limit)
        return util::permanent(util::concat("the message is larger than ", limit, " bytes"));
    std::string whole;
    whole.reserve(patched_size_);
    Content pieces = content();
    for (;;) {
        std::string_view piece = TRY(pieces.next());
        if (piece.empty())
            return whole;
        whole += piece;
    }
}

util::Result<Story> Reader::story() const
{
    struct stat status = TRY(util::sys::fstat(fd_));
    std::uint64_t start = superblock_.story_offset();
    std::uint64_t size =
        static_cast<std::uint64_t>(status.st_size) - std::min(start, static_cast<std::uint64_t>(status.st_size));
    if (size > max_story_size) {
        start += size - max_story_size;
        size = max_story_size;
    }
    std::string bytes;
    TRY(read_exactly(fd_, start, size, bytes));
    return decode_story(bytes);
}

Content::Content(int fd, std::string_view memory, std::uint64_t content_offset, std::uint64_t content_size,
                 std::span<const Patch> patches, std::uint64_t size)
    : fd_(fd), memory_(memory), content_offset_(content_offset), content_size_(content_size), patches_(patches), size_(size)
{
}

util::Result<std::string_view> Content::next()
{
    while (!patches_.empty() && patches_.front().offset == at_) {
        const Patch& patch = patches_.front();
        patches_ = patches_.subspan(1);
        at_ += patch.length;
        if (!patch.replacement.empty())
            return std::string_view(patch.replacement);
    }
    std::uint64_t stop = patches_.empty() ? content_size_ : patches_.front().offset;
    std::uint64_t length = std::min<std::uint64_t>(stop - at_, piece_size);
    if (length == 0)
        return std::string_view();
    std::string_view piece = TRY(read(content_offset_ + at_, length));
    at_ += length;
    return piece;
}

util::Result<std::string_view> Content::read(std::uint64_t offset, std::uint64_t length)
{
    if (offset + length <= memory_.size())
        return memory_.substr(offset, length);
    TRY(read_exactly(fd_, offset, length, buffer_));
    return std::string_view(buffer_);
}

util::Result<void> mark_done(int fd, const RecipientEntry& recipient)
{
    return util::sys::pwrite_all(fd, format::mark_done, recipient.mark_offset);
}

}  // namespace queue
