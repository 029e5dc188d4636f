// Passwords against what is stored of them.
#include "auth/password.h"

#include "libconf/credentials_file.h"
#include "libmail/scram.h"
#include "libutil/random.h"
#include "libutil/text.h"

#include <crypt.h>
#include <cstring>
#include <memory>

namespace auth {

namespace {

// Long, and cleared: it has held a password.
struct CryptData {
    crypt_data data{};
    ~CryptData() { explicit_bzero(&data, sizeof data); }
};

}  // namespace

bool password_matches(const std::string& hash, const std::string& verifier, const std::string& password)
{
    if (password.empty() || password.find('\0') != std::string::npos)
        return false;
    if (hash.starts_with(conf::plain_prefix))
        return util::equal_constant_time(std::string_view(hash).substr(conf::plain_prefix.size()), password);
    if (hash.empty()) {
        auto parsed = mail::parse_scram_verifier(verifier);
        return parsed.ok() && mail::password_matches(*parsed, password);
    }
    auto data = std::make_unique<CryptData>();
    const char* result = crypt_r(password.c_str(), hash.c_str(), &data->data);
    // Failure tokens begin with '*' and are never what is stored.
    return result && result[0] != '*' && util::equal_constant_time(result, hash);
}

std::string hash_like(const std::string& like)
{
    if (like.starts_with(conf::plain_prefix))
        return std::string(conf::plain_prefix) + util::hex(util::random_string(8));
    // "$y$j9T$salt$hash": all but the hash is the setting that crypt(3) works by.
    std::size_t last = like.rfind('$');
    if (last != std::string::npos && last > 0)
        return like.substr(0, last + 1);
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    std::string random = util::random_string(32);
    const char* made = crypt_gensalt_rn("$y$", 0, random.data(), int(random.size()), setting, sizeof setting);
    return made ? std::string(made) + '$' : "{PLAIN}";
}

}  // namespace auth
