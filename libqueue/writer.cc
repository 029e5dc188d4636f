// Writer: buffers in memory, spills to a nameless file, seals, names.
#include "libqueue/writer.h"

#include "libqueue/fields.h"
#include "libutil/crc32c.h"

#include <fcntl.h>

namespace queue {

namespace {

// Group: qmgr may mark recipients and append to what cleanup made.
constexpr mode_t file_mode = 0660;
constexpr std::size_t flush_size = 256 * 1024;

}  // namespace

Writer::~Writer() { forget(); }

void Writer::forget()
{
    if (!temporary_path_.empty())
        (void)util::sys::unlink(temporary_path_);  // qmgr clears away what stays
    temporary_path_.clear();
    file_.reset();
    buffer_.clear();
    trailer_.clear();
    flushed_ = file_size_ = content_offset_ = content_size_ = trailer_offset_ = patched_to_ = 0;
    envelope_crc_ = content_crc_ = 0;
    recipient_count_ = patch_count_ = 0;
    state_ = State::Empty;
}

util::Result<void> Writer::begin(const ipc::Envelope& envelope)
{
    forget();
    queue_id_ = envelope.queue_id;
    buffer_.append(format::superblock_size, '\0');
    std::string payload = encode_fields(envelope);
    if (payload.size() > format::max_record_size)
        return util::permanent("the envelope is too large");
    format::put_record(buffer_, format::RecordType::Envelope, payload);
    state_ = State::Envelope;
    return {};
}

util::Result<void> Writer::add_recipient(const ipc::Recipient& recipient)
{
    CHECK(state_ != State::Empty && state_ != State::Finished);
    if (state_ == State::Content)
        TRY(begin_trailer());
    std::string& region = state_ == State::Envelope ? buffer_ : trailer_;
    std::string payload = util::concat(format::mark_waiting, encode_fields(recipient));
    std::size_t limit = state_ == State::Envelope ? format::max_envelope_size : format::max_trailer_size;
    if (recipient_count_ == format::max_recipients || payload.size() > format::max_record_size ||
        region.size() + payload.size() + 8 > limit)
        return util::permanent("too many recipients");
    format::put_record(region, format::RecordType::Recipient, payload);
    ++recipient_count_;
    return {};
}

void Writer::end_envelope()
{
    content_offset_ = buffer_.size();
    envelope_crc_ = util::crc32c(std::string_view(buffer_).substr(format::superblock_size));
    state_ = State::Content;
}

util::Result<void> Writer::add_content(std::string_view bytes)
{
    if (state_ == State::Envelope)
        end_envelope();
    CHECK(state_ == State::Content);
    content_crc_ = util::crc32c(bytes, content_crc_);
    content_size_ += bytes.size();
    buffer_ += bytes;
    return in_memory() ? spill() : buffer_.size() >= flush_size ? flush() : util::Result<void>();
}

// To a file, once memory is full.
util::Result<void> Writer::spill()
{
    if (buffer_.size() <= options_.memory_limit)
        return {};
    TRY(open_file());
    return flush();
}

util::Result<void> Writer::open_file()
{
    if (options_.nameless) {
        auto file = util::sys::open_nameless(options_.directory, O_RDWR, file_mode);
        if (file || file.error().code != EOPNOTSUPP) {
            file_ = TRY(std::move(file));
            return {};
        }
        options_.nameless = false;
    }
    std::string path = util::concat(options_.directory, "/tmp.", queue_id_);
    file_ = TRY(util::sys::open(path, O_RDWR | O_CREAT | O_EXCL, file_mode));
    temporary_path_ = std::move(path);
    return {};
}

util::Result<void> Writer::flush()
{
    TRY(util::sys::pwrite_all(file_.get(), buffer_, flushed_));
    flushed_ += buffer_.size();
    buffer_.clear();
    return {};
}

util::Result<void> Writer::begin_trailer()
{
    if (state_ == State::Envelope)
        end_envelope();
    CHECK(state_ == State::Content);
    trailer_offset_ = content_offset_ + content_size_;
    format::put_padding(trailer_, trailer_offset_);
    state_ = State::Trailer;
    return {};
}

util::Result<void> Writer::add_alias(const ipc::Recipient& alias)
{
    if (state_ != State::Trailer)
        TRY(begin_trailer());
    std::string payload = encode_fields(alias);
    if (recipient_count_ == format::max_recipients || trailer_.size() + payload.size() + 8 > format::max_trailer_size)
        return util::permanent("too many recipients");
    format::put_record(trailer_, format::RecordType::Alias, payload);
    ++recipient_count_;
    return {};
}

util::Result<void> Writer::add_patch(const Patch& patch)
{
    if (state_ != State::Trailer)
        TRY(begin_trailer());
    CHECK(patch.offset >= patched_to_ && patch.offset + patch.length <= content_size_);
    constexpr std::size_t fixed = sizeof(std::uint64_t) + sizeof(std::uint32_t);
    std::size_t size = fixed + patch.replacement.size();
    if (patch_count_ == format::max_patches || size > format::max_record_size ||
        trailer_.size() + size + 8 > format::max_trailer_size)
        return util::permanent("too many changes to a message");
    patched_to_ = patch.offset + patch.length;
    ++patch_count_;
    std::string payload;
    format::put_u64(payload, patch.offset);
    format::put_u32(payload, patch.length);
    payload += patch.replacement;
    format::put_record(trailer_, format::RecordType::Patch, payload);
    return {};
}

util::Result<util::UniqueFd> Writer::finish(const Summary& summary)
{
    if (state_ != State::Trailer)
        TRY(begin_trailer());
    format::put_record(trailer_, format::RecordType::Summary, encode_fields(summary));
    format::Superblock superblock{content_offset_, content_size_, trailer_.size()};
    format::End end{envelope_crc_, content_crc_, util::crc32c(trailer_)};
    buffer_ += trailer_;
    buffer_ += format::encode_end(end);
    trailer_.clear();
    file_size_ = superblock.story_offset();
    state_ = State::Finished;
    std::string head = format::encode_superblock(superblock);
    if (in_memory() && file_size_ > options_.memory_limit)
        TRY(open_file());
    if (in_memory()) {
        buffer_.replace(0, head.size(), head);
        return seal_memory();
    }
    TRY(flush());
    TRY(util::sys::pwrite_all(file_.get(), head, 0));
    return util::sys::reopen(file_.get(), O_RDONLY);
}

util::Result<util::UniqueFd> Writer::seal_memory()
{
    auto memory = TRY(util::sys::memfd("message"));
    TRY(util::sys::pwrite_all(memory.get(), buffer_, 0));  // readers find its offset at the start
    TRY(util::sys::seal(memory.get()));  // from here on nobody can write to it, by whatever descriptor
    return memory;
}

util::Result<void> Writer::name(const std::string& queue_id)
{
    CHECK(state_ == State::Finished);
    if (in_memory()) {
        TRY(open_file());
        TRY(flush());
    }
    if (auto named = give_name(queue_id); !named)
        return named;
    if (!temporary_path_.empty())
        (void)util::sys::unlink(temporary_path_);  // qmgr clears away what stays
    temporary_path_.clear();
    state_ = State::Named;
    return {};
}

util::Result<void> Writer::give_name(const std::string& queue_id)
{
    std::string path = util::concat(options_.directory, '/', queue_id);
    TRY(temporary_path_.empty() ? util::sys::link_fd(file_.get(), AT_FDCWD, path)
                                : util::sys::link(temporary_path_, path));
    auto synced = util::sys::fsync(file_.get());
    if (synced && options_.sync_directory)
        synced = options_.directory_fd >= 0 ? util::sys::fsync(options_.directory_fd)
                                            : util::sys::sync_directory(options_.directory);
    if (!synced)
        (void)util::sys::unlink(path);  // the client hears 4xx; at worst a second copy
    return synced;
}

}  // namespace queue
