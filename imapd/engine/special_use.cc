// Attributes of mailboxes in LIST.
#include "imapd/engine/special_use.h"

#include "libutil/text.h"

#include <array>
#include <string>

namespace imapd::engine {

namespace {

// In the order of store::SpecialUse.
constexpr std::array<std::string_view, 8> attributes = {
    "", "\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash"};

}  // namespace

store::SpecialUse special_use_named(std::string_view attribute)
{
    for (std::size_t i = 1; i < attributes.size(); ++i)
        if (util::equal_nocase(attributes[i].substr(1), attribute))
            return store::SpecialUse(i);
    return store::SpecialUse::None;
}

std::string_view attribute_of(store::SpecialUse use)
{
    return attributes[std::size_t(use)];
}

bool has_children(const store::Store& store, std::string_view name)
{
    auto prefix = util::concat(name, store::hierarchy_separator);
    auto next = store.mailboxes().lower_bound(prefix);
    return next != store.mailboxes().end() && next->first.starts_with(prefix);
}

}  // namespace imapd::engine
