// The secret credentials file: what auth(8) checks passwords against.
//
//   # tern credentials 1
//   alice@example.org:$y$j9T$...:SCRAM-SHA-256$4096:c2FsdA==$...:...
//   bob@example.org:{PLAIN}hello:
//
// The first line is the version.  The others are sorted bytewise by address.  Behind the address:
// the password's hash as crypt(3) makes it (or {PLAIN} and the password itself, or nothing), then a
// SCRAM verifier (or nothing) up to the end of the line.  Readable by the owner of auth(8) only;
// never changed in place: ternuser(1) writes a new one and renames it.
#pragma once

#include "libutil/result.h"
#include "libutil/time.h"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conf {

constexpr std::string_view credentials_version_line = "# tern credentials 1\n";
constexpr std::size_t max_credential_line = 4096;            // bytes, without the end of the line
constexpr std::size_t max_credentials_size = 1'000'000'000;  // bytes of the file
constexpr std::string_view plain_prefix = "{PLAIN}";

struct Credential {
    std::string address;   // as in the accounts file: lower case
    std::string hash;      // crypt(3), or {PLAIN}password, or empty
    std::string verifier;  // SCRAM-SHA-256$..., or empty

    bool operator==(const Credential&) const = default;
};

// One line without its end.  Invalid: fields missing, control bytes, a line over the limit.
util::Result<Credential> parse_credential_line(std::string_view line);
// Invalid: a field that the form cannot hold.
util::Result<std::string> format_credential_line(const Credential& credential);

// All of a file's text.  Invalid: what is wrong, with the line.
util::Result<std::vector<Credential>> parse_credentials(std::string_view text);
util::Result<std::string> format_credentials(std::vector<Credential> credentials);

// A missing file is an empty list.
util::Result<std::vector<Credential>> read_credentials(const std::string& path);

// Lookups, for as long as a process lives.
class CredentialsReader {
public:
    explicit CredentialsReader(std::string path) : path_(std::move(path)) {}

    // Reads the file anew if it was replaced since; true if it was.  A missing file is an empty one.
    // Temporary: it cannot be read, or is malformed: then nobody is found.
    util::Result<bool> update();
    // By the file as update() saw it last.
    std::optional<Credential> find(std::string_view address) const;
    // Has every account a SCRAM verifier (and is there any)?
    bool all_have_verifiers() const { return count_ > 0 && verifiers_ == count_; }
    // What the first account has: an unknown one would most likely have the same kind.
    const std::string& first_hash() const { return first_.hash; }
    const std::string& first_verifier() const { return first_.verifier; }

private:
    std::string path_;
    std::string text_;          // behind the version line
    std::size_t count_ = 0;
    std::size_t verifiers_ = 0;
    Credential first_;
    bool read_ = false;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::int64_t changed_ = 0;  // mtime in nanoseconds
    off_t size_ = 0;
};

}  // namespace conf
