// The lists that errands reads for itself: entries of aliases(5), .forward files, files of :include:.
//
// Whose rights what is on a list has is decided by who could have written it: of an entry of aliases(5)
// the owner of the table's file, of a .forward file its user, of an :include: file the one who named it, and
// if that is root the file's owner.
#pragma once

#include "libconf/table.h"
#include "libipc/errands.h"
#include "libutil/user.h"

#include <string>
#include <vector>

namespace errands {

using util::User;
using util::UserRules;
using util::find_user;

enum class Where : std::uint8_t { Alias, Forward, Include };

struct List {
    std::vector<mail::Destination> destinations;
    std::optional<User> owner;      // nothing: root
    Where where = Where::Alias;
};

struct ListRules {
    conf::Tables* aliases = nullptr;
    UserRules users;
    User default_user;                    // default_privs
    std::size_t size_limit = 1'000'000;   // errands_list_size_limit
    std::string forward_path;             // as main.cf has it
    std::string forward_filter;
    std::string recipient_delimiter;
};

// What came of looking for one.
struct Search {
    ipc::ListPart::Result result = ipc::ListPart::Result::None;
    List list;
};

// Reads in the process's present rights and takes on those of the list's owner, for good, as soon as that
// is not root; so it is for a process that ends afterwards.  An error is why it cannot be told now.
util::Result<Search> find_list(const ipc::Place& place, std::string_view recipient, const ListRules& rules);

// The paths of forward_path for a user, in their order.
util::Result<std::vector<std::string>> forward_paths(const ipc::Place& place, std::string_view recipient, const User& user,
                                                     const ListRules& rules);

// Reads a file that `owner`, root or (with nothing) anybody may own; nobody else may be able to write to it.
// NotFound: it is not there.  Permanent: it may not be used.
util::Result<std::string> read_list_file(const std::string& path, std::optional<uid_t> owner, bool group_may_write,
                                         std::size_t limit, uid_t* found_owner = nullptr);

}  // namespace errands
