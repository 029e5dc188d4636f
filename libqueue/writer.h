// Writer: makes one queue file, for cleanup(8).
//
//   Writer writer(options);
//   writer.begin(envelope); add_recipient().. add_content().. add_recipient()(late) add_patch()..
//   auto readable = writer.finish(summary);     sealed: only read-only descriptors leave
//   writer.name("4Hqx3D0bCdzBw7K");             if it is to be kept
//
// A message of up to `memory_limit` bytes (the whole file) is put together in memory and offered as
// a sealed memfd; a larger one goes to a nameless file in incoming/ as it comes.  Until name()
// returns nothing has a name, so that a crash leaves nothing behind, with one exception: where the
// file system has no O_TMPFILE the file is called "tmp.ID" until then.
#pragma once

#include "libqueue/format.h"
#include "libqueue/message.h"
#include "libutil/sys.h"

namespace queue {

struct WriterOptions {
    std::string directory;                  // .../incoming
    std::size_t memory_limit = 64 * 1024;   // 0: always a file
    bool nameless = true;                   // try O_TMPFILE first
    bool sync_directory = true;
    int directory_fd = -1;                  // of the same, for a program that may not open it; or -1
};

class Writer {
public:
    explicit Writer(WriterOptions options) : options_(std::move(options)) {}
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // Starts afresh; what was there before is forgotten (and unlinked, if it had a temporary name).
    util::Result<void> begin(const ipc::Envelope& envelope);
    // Before the content, or behind it (a late recipient).  Permanent: too many.
    util::Result<void> add_recipient(const ipc::Recipient& recipient);
    util::Result<void> add_content(std::string_view bytes);
    // Behind the content: an address in whose stead others are recipients, to be told of as expanded
    // (RFC 3461 §5.2.7.3).
    util::Result<void> add_alias(const ipc::Recipient& alias);
    // In order of offset; behind the content.
    util::Result<void> add_patch(const Patch& patch);
    // Writes summary and end record.  The answer is a read-only descriptor of the sealed message.
    util::Result<util::UniqueFd> finish(const Summary& summary);
    // Gives the file its name, synced with its directory.  On any failure no name is left.
    util::Result<void> name(const std::string& queue_id);

    // Lets go of what there is; a file without a name gives its room back.
    void forget();

    std::uint64_t content_size() const { return content_size_; }
    std::uint64_t file_size() const { return file_size_; }   // after finish()
    std::size_t recipient_count() const { return recipient_count_; }
    bool in_memory() const { return !file_.valid(); }

private:
    enum class State : std::uint8_t { Empty, Envelope, Content, Trailer, Finished, Named };

    void end_envelope();
    util::Result<void> begin_trailer();
    util::Result<void> spill();
    util::Result<void> open_file();
    util::Result<void> flush();
    util::Result<util::UniqueFd> seal_memory();
    util::Result<void> give_name(const std::string& queue_id);

    WriterOptions options_;
    State state_ = State::Empty;
    std::string queue_id_;
    std::string buffer_;              // what is not yet in file_; all of it while in memory
    util::UniqueFd file_;
    std::string temporary_path_;      // of file_, where it has one
    std::uint64_t flushed_ = 0;       // bytes in file_
    std::uint64_t file_size_ = 0;
    std::uint64_t content_offset_ = 0;
    std::uint64_t content_size_ = 0;
    std::uint64_t trailer_offset_ = 0;
    std::uint32_t envelope_crc_ = 0;
    std::uint32_t content_crc_ = 0;
    std::string trailer_;
    std::size_t recipient_count_ = 0;
    std::size_t patch_count_ = 0;
    std::uint64_t patched_to_ = 0;
};

}  // namespace queue
