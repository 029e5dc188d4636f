// Passwords against what is stored of them: crypt(3), {PLAIN}, SCRAM verifiers.
#pragma once

#include <string>
#include <string_view>

namespace auth {

// Is it the password?  `hash`: any scheme that the system's crypt(3) knows, or {PLAIN}password; empty:
// `verifier` is asked.  Takes as long as the scheme takes, whatever the answer.
bool password_matches(const std::string& hash, const std::string& verifier, const std::string& password);

// A hash of the scheme and cost of `like` that no password fits, for accounts that do not exist: checking
// it takes as long as checking `like`.  Of yescrypt when `like` is empty.
std::string hash_like(const std::string& like);

}  // namespace auth
