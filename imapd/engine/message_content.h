// One message as FETCH and SEARCH read it: what was rendered, its header, its bytes, its MIME
// tree; each read from the store when it is first wanted, and forgotten with the message.
#pragma once

#include "libmail/mime.h"
#include "libstore/store.h"

#include <optional>
#include <string>
#include <string_view>

namespace imapd::engine {

class MessageContent {
public:
    explicit MessageContent(store::Store& store) : store_(store) {}

    // The entry is copied: a message that is expunged while it is read stays readable.
    void open(const store::Entry& entry);
    void close();

    const store::Entry& entry() const { return entry_; }
    util::Result<const store::Rendered*> rendered();
    // The header with its empty line.
    util::Result<std::string_view> header();
    util::Result<const mail::MimeTreeView*> tree();
    // All bytes, once tree() or load() has read them.
    std::string_view whole() const { return *whole_; }
    util::Result<void> load();
    // A part of the bytes.
    util::Result<std::string> read(std::uint64_t offset, std::uint64_t size);

private:
    store::Store& store_;
    store::Entry entry_;
    std::optional<store::Rendered> rendered_;
    std::optional<std::string> header_;
    std::optional<std::string> whole_;
    std::optional<mail::MimeTreeView> tree_;
};

}  // namespace imapd::engine
