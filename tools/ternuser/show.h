// What ternuser(1) shows: for people, and as JSON, one object a line.
#pragma once

#include "libconf/last_uses_file.h"
#include "tools/ternuser/book.h"

#include <string>

namespace ternuser {

// One account with all that belongs to it.
std::string account_text(const Book& book, const conf::Account& account, const conf::LastUses& uses);
std::string account_json(const Book& book, const conf::Account& account, const conf::LastUses& uses);

// One line each.
std::string accounts_text(const Book& book, std::string_view domain);
std::string accounts_json(const Book& book, std::string_view domain, const conf::LastUses& uses);

std::string limits_text(const conf::Logins& logins);
std::string limits_json(const std::string& account, const conf::Logins& logins);

// Of one account, or of all when it is empty.
std::string aliases_text(const Book& book, std::string_view account);
std::string aliases_json(const Book& book, std::string_view account);

// Members of one group, or of all when it is empty; a line for each.
std::string groups_text(const Book& book, std::string_view group);
std::string groups_json(const Book& book, std::string_view group);

std::string app_passwords_text(const std::string& account, const conf::Logins& logins, const conf::LastUses& uses);
std::string app_passwords_json(const std::string& account, const conf::Logins& logins, const conf::LastUses& uses);

}  // namespace ternuser
