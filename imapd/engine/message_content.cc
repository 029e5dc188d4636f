// One message as FETCH and SEARCH read it.
#include "imapd/engine/message_content.h"

#include "libutil/text.h"

namespace imapd::engine {

void MessageContent::open(const store::Entry& entry)
{
    close();
    entry_ = entry;
}

void MessageContent::close()
{
    rendered_.reset();
    header_.reset();
    tree_.reset();
    whole_.reset();
}

util::Result<const store::Rendered*> MessageContent::rendered()
{
    if (!rendered_) {
        auto rendered = TRY(store_.read_rendered(entry_));
        // The store may be damaged: no offset of it is taken on trust.
        if (rendered.header_size > entry_.size)
            return util::permanent("The rendered header is larger than its message");
        rendered_ = std::move(rendered);
    }
    return &*rendered_;
}

util::Result<std::string_view> MessageContent::header()
{
    if (whole_) {
        const auto* bundle = TRY(rendered());
        return std::string_view(*whole_).substr(0, bundle->header_size);
    }
    if (!header_) {
        const auto* bundle = TRY(rendered());
        header_ = TRY(read(0, bundle->header_size));
    }
    return std::string_view(*header_);
}

util::Result<void> MessageContent::load()
{
    if (!whole_)
        whole_ = TRY(read(0, entry_.size));
    return {};
}

util::Result<const mail::MimeTreeView*> MessageContent::tree()
{
    TRY(load());
    if (!tree_)
        tree_ = mail::parse_mime(*whole_);
    return &*tree_;
}

util::Result<std::string> MessageContent::read(std::uint64_t offset, std::uint64_t size)
{
    if (whole_)
        return whole_->substr(std::size_t(offset), std::size_t(size));
    auto bytes = TRY(store_.read_content(entry_, offset, size));
    if (bytes.size() != size)
        return util::permanent("The message is shorter than its size");
    return bytes;
}

}  // namespace imapd::engine
