// Reader: a finished queue file, through a descriptor that need only be readable.
//
// Everything in the file is checked before it is believed: sizes are bounded, every part has its
// checksum.  A file that is torn or rotten gives Invalid with a text that says where; a failed read
// gives Temporary.
//
//   auto reader = TRY(queue::Reader::open(job.message.get()));
//   queue::Content content = reader.content();
//   for (;;) {
//       std::string_view piece = TRY(content.next());
//       if (piece.empty()) break;
//       ...
//   }
#pragma once

#include "libqueue/format.h"
#include "libqueue/message.h"
#include "libqueue/story.h"

#include <memory>
#include <span>
#include <vector>

namespace queue {

// The content with its patches applied, in pieces: at most 64 KB of content, or one replacement.
// It reads from the Reader's descriptor and memory: neither may go away first, nor may the Reader
// move.
class Content {
public:
    // Bytes from the first to the last piece.
    std::uint64_t size() const { return size_; }
    // The next piece, valid until the next call; empty at the end.
    util::Result<std::string_view> next();

private:
    friend class Reader;
    Content(int fd, std::string_view memory, std::uint64_t content_offset, std::uint64_t content_size,
            std::span<const Patch> patches, std::uint64_t size);

    util::Result<std::string_view> read(std::uint64_t offset, std::uint64_t length);

    int fd_;
    std::string_view memory_;        // of the file, from offset 0
    std::uint64_t content_offset_;
    std::uint64_t content_size_;
    std::span<const Patch> patches_;
    std::uint64_t size_;
    std::uint64_t at_ = 0;           // in the content as received
    std::string buffer_;
};

enum class Check : std::uint8_t {
    Envelope,     // all but the content's own checksum; enough for who does not pass content on
    Everything,
    Content,      // everything, but recipients and aliases are passed over: for who learns from a job whom it is for
};

class Reader {
public:
    static util::Result<Reader> open(int fd, Check check = Check::Everything);

    const ipc::Envelope& envelope() const { return envelope_; }
    const Summary& summary() const { return summary_; }
    // In their order in the file; a JobRecipient's index counts here.  Where the summary has a redirect
    // it is the only recipient, with the mark of the first.
    const std::vector<RecipientEntry>& recipients() const { return recipients_; }
    std::vector<RecipientEntry> take_recipients() { return std::move(recipients_); }
    // Addresses that were replaced by several of the recipients, whose sender is to hear of that.
    const std::vector<ipc::Recipient>& aliases() const { return aliases_; }
    const std::vector<Patch>& patches() const { return patches_; }

    Content content() const;
    std::uint64_t content_size() const { return patched_size_; }   // patches applied
    // The content as received, without patches.
    Content raw_content() const;
    // Where the body begins in content(): behind the empty line, patches counted.
    std::uint64_t body_offset() const;

    // The last bytes of content(), `count` of them where it has so many.
    util::Result<std::string> end_of_content(std::size_t count) const;
    // The content whole; Permanent if it is larger than `limit`.
    util::Result<std::string> read_content(std::size_t limit) const;

    // What was appended since: the attempts so far.
    util::Result<Story> story() const;

private:
    Reader() = default;
    util::Result<void> load(Check check);
    util::Result<std::string_view> part(std::uint64_t offset, std::uint64_t size, std::string& storage);
    util::Result<void> read_envelope(std::string_view region);
    util::Result<void> read_trailer(std::string_view region, std::size_t padding);
    util::Result<void> read_recipient(const format::RecordView& record, std::uint64_t region_offset);
    util::Result<void> read_patch(std::string_view payload);
    void apply_redirect();
    util::Result<void> check_patches();
    util::Result<void> check_content(std::uint32_t expected);

    int fd_ = -1;
    bool wants_recipients_ = true;
    std::uint64_t file_size_ = 0;
    format::Superblock superblock_;
    std::string head_;               // the first bytes of the file, or all of it
    std::uint32_t envelope_crc_ = 0;
    std::uint32_t trailer_crc_ = 0;
    ipc::Envelope envelope_;
    Summary summary_;
    std::vector<RecipientEntry> recipients_;
    std::vector<ipc::Recipient> aliases_;
    std::vector<Patch> patches_;
    std::uint64_t patched_size_ = 0;
};

// Rewrites a recipient's mark in place, without a sync: a crash may bring a second copy.
util::Result<void> mark_done(int fd, const RecipientEntry& recipient);

}  // namespace queue
