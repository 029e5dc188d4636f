// Searches whose results a client follows: SEARCH and SORT with RETURN (UPDATE), RFC 5267 §4.3 and RFC 5465 §7.
//
// A context has the keys, as they were meant when the command came, and the messages that met them.  What
// arrives and what changes is looked at again in slices, between commands (UpdateTask).
#pragma once

#include "imapd/engine/search_keys.h"
#include "imapd/engine/sort_keys.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace imapd::engine {

class Session;
class Task;
class View;

// Of one session (RFC 5267 §4.3.1: at least one), and the messages that all of them together may hold.
constexpr std::size_t max_contexts = 10;
constexpr std::size_t max_context_messages = 500'000;

struct ContextMessage {
    std::uint32_t uid = 0;
    std::vector<SortValue> values;    // of SORT
};

class SearchContext {
public:
    // What the command asks for; the keys' numbers and `$` are put in terms of uids.
    SearchContext(const Session& session, const SearchArguments& search, std::vector<SortCriterion> criteria);

    const std::string& tag() const { return tag_; }
    SearchKey& key() { return key_; }
    const std::vector<SortCriterion>& criteria() const { return criteria_; }
    const FetchItems& items() const { return items_; }
    std::size_t size() const { return messages_.size(); }

    // In the order of the result.
    void begin(std::vector<ContextMessage> messages) { messages_ = std::move(messages); }
    bool holds(std::uint32_t uid) const;

    struct Removal {
        std::uint32_t uid = 0;
        std::uint32_t number = 0;     // its sequence number
    };
    // Says what leaves and what comes, and does it.
    void remove(std::string& out, const std::vector<Removal>& gone);
    void update(std::string& out, const View& view, const std::vector<std::uint32_t>& gone, std::vector<ContextMessage> added);

private:
    bool sorted() const { return !criteria_.empty(); }
    std::size_t place_of(std::uint32_t uid) const;
    void begin_response(std::string& out) const;
    void append_removals(std::string& out, const std::vector<Removal>& gone);
    void append_additions(std::string& out, const View& view, std::vector<ContextMessage> added);

    std::string tag_;
    bool uid_form_;
    SearchKey key_;
    std::vector<SortCriterion> criteria_;
    FetchItems items_;
    std::vector<ContextMessage> messages_;
};

// Looks at these messages again, for all contexts of the session, and says what has become of them.  `arrived`:
// which of them are new, so that the client may want to have them fetched.
std::unique_ptr<Task> make_update_task(Session& session, std::vector<std::uint32_t> uids, std::vector<std::uint32_t> arrived);

}  // namespace imapd::engine
