// Who shares mailboxes with whom: for each owner the accounts that his access control lists name, groups, or "anyone".
//
// It says whom it is worth while to connect; what a guest may do, the owner's mailbox process decides.  Mailbox
// processes say it when they start and when it changes.  The file is only a copy, so that what is known survives a
// restart: without it an owner is known again when his process starts next, for a delivery or a log-in.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace usher {

constexpr std::size_t max_shares_file = 64U << 20;
constexpr std::size_t max_owners = 100'000;   // who come later are not remembered

class Shares {
public:
    // Empty: nothing is kept on disk.
    explicit Shares(std::string file);
    ~Shares() { save(); }
    Shares(const Shares&) = delete;
    Shares& operator=(const Shares&) = delete;

    // True: that was news, which save() has to write.
    bool set(const std::string& owner, std::vector<std::string> identifiers);
    // `groups`: of the account.
    bool permits(std::string_view owner, std::string_view account, const std::vector<std::string>& groups = {}) const;
    // Sorted.
    std::vector<std::string> owners_for(std::string_view account, const std::vector<std::string>& groups = {}) const;

    // Writes what is new, with two syncs: not for each change, since users make as many as they like.  What is lost
    // the owner's process tells again when it starts.
    void save();

private:

    std::string file_;
    bool unsaved_ = false;
    std::map<std::string, std::set<std::string, std::less<>>, std::less<>> by_owner_;
};

}  // namespace usher
