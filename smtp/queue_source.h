// The content of a queue file as a Source.
#pragma once

#include "libqueue/reader.h"
#include "smtp/letter.h"

namespace smtp {

// A larger message is not converted to 7 bits, which is done in memory, and takes up to conversion_factor times its size; it
// is returned.
constexpr std::uint64_t max_converted_size = std::uint64_t(64) << 20;
constexpr std::uint64_t conversion_factor = 12;

// What becomes of what follows the header, as it passes.
class BodyChange {
public:
    virtual ~BodyChange() = default;
    virtual util::Result<void> feed(std::string_view bytes, std::string& out) = 0;
    virtual util::Result<void> finish(std::string& out) = 0;
};

struct ContentChange {
    // What the header becomes; null: it stays.
    std::function<util::Result<std::string>(std::string_view header)> header = {};
    // For what follows that header; null: it stays.
    std::function<std::unique_ptr<BodyChange>(std::string_view header)> body = {};

    bool any() const { return header || body; }
};
constexpr std::uint64_t max_changed_header = 1'000'000;   // bytes; a message with a longer one stays as it is

// Of a Reader that outlives it.  Permanent: it is converted to 7 bits, and larger than `max_converted`.
util::Result<std::unique_ptr<Source>> open_queue_source(const queue::Reader& reader, bool seven_bit,
                                                        const ContentChange& change,
                                                        std::uint64_t max_converted = max_converted_size);

// Has the header bytes above 127?
util::Result<bool> has_utf8_header(const queue::Reader& reader);

}  // namespace smtp
