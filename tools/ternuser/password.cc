// Passwords: reading and hashing.
#include "tools/ternuser/password.h"

#include "libmail/normal_form.h"
#include "libmail/sasl.h"
#include "libnet/crypto.h"
#include "libutil/random.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>
#include <cerrno>
#include <crypt.h>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <termios.h>
#include <unistd.h>

namespace ternuser {

namespace {

util::Result<std::string> read_line(int fd)
{
    std::string line;
    char byte = 0;
    for (;;) {
        std::size_t count = TRY(util::sys::read(fd, {&byte, 1}));
        if (count == 0 || byte == '\n')
            break;
        line += byte;
        if (line.size() > mail::max_sasl_password + 1)
            return util::invalid(util::concat("the password is longer than ", mail::max_sasl_password, " bytes"));
    }
    if (line.ends_with('\r'))
        line.pop_back();
    return line;
}

util::Result<void> check(std::string_view password)
{
    if (password.empty())
        return util::invalid("the password is empty");
    if (password.size() > mail::max_sasl_password)
        return util::invalid(util::concat("the password is longer than ", mail::max_sasl_password, " bytes"));
    if (std::ranges::any_of(password, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; }))
        return util::invalid("the password has control characters");
    if (!util::is_utf8(password))
        return util::invalid("the password is not UTF-8");
    return {};
}

// The terminal does not show what is typed while this lives.
class Silence {
public:
    explicit Silence(int fd) : fd_(fd)
    {
        active_ = ::tcgetattr(fd_, &before_) == 0;
        termios quiet = before_;
        quiet.c_lflag &= ~tcflag_t(ECHO);
        if (active_)
            ::tcsetattr(fd_, TCSAFLUSH, &quiet);
    }
    ~Silence()
    {
        if (active_)
            ::tcsetattr(fd_, TCSAFLUSH, &before_);
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

private:
    int fd_;
    bool active_ = false;
    termios before_{};
};

util::Result<std::string> ask(int terminal, std::string_view prompt)
{
    Silence silence(terminal);
    TRY(util::sys::write_all(terminal, prompt));
    std::string line = TRY(read_line(terminal));
    TRY(util::sys::write_all(terminal, "\n"));
    return line;
}

struct CryptData {
    crypt_data data{};
    ~CryptData() { explicit_bzero(&data, sizeof data); }
};

util::Result<std::string> hash_password(const std::string& password, const char* prefix)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    std::string random = util::random_string(32);
    if (!crypt_gensalt_rn(prefix, 0, random.data(), int(random.size()), setting, sizeof setting))
        return util::system_error("make a salt", errno);
    auto data = std::make_unique<CryptData>();
    const char* hash = crypt_r(password.c_str(), setting, &data->data);
    if (!hash || hash[0] == '*')
        return util::permanent("the system's crypt(3) cannot make such a hash");
    return std::string(hash);
}

}  // namespace

util::Result<std::string> read_password(bool from_stdin)
{
    if (from_stdin) {
        std::string password = TRY(read_line(STDIN_FILENO));
        TRY(check(password));
        return password;
    }
    auto terminal = util::sys::open("/dev/tty", O_RDWR);
    if (!terminal.ok())
        return util::invalid("there is no terminal to ask for the password: say --password-stdin");
    std::string password = TRY(ask(terminal->get(), "New password: "));
    TRY(check(password));
    std::string again = TRY(ask(terminal->get(), "Again: "));
    if (again != password)
        return util::invalid("the passwords are not the same");
    return password;
}

util::Result<Scheme> parse_scheme(std::string_view name)
{
    if (name == "yescrypt")
        return Scheme::Yescrypt;
    if (name == "sha512")
        return Scheme::Sha512;
    if (name == "bcrypt")
        return Scheme::Bcrypt;
    if (name == "plain")
        return Scheme::Plain;
    return util::invalid(util::concat("unknown scheme ", util::printable(name, 40),
                                      ": yescrypt, sha512, bcrypt or plain"));
}

ScramSalt fresh_salt(std::uint32_t iterations) { return {util::random_string(16), iterations}; }

std::optional<ScramSalt> salt_of(std::string_view verifier)
{
    auto parsed = mail::parse_scram_verifier(verifier);
    return parsed.ok() ? std::optional<ScramSalt>({parsed->salt, parsed->iterations}) : std::nullopt;
}

util::Result<NewAppPassword> make_app_password(std::string name, conf::LoginLimits limits, std::int64_t now,
                                               const ScramSalt& salt)
{
    NewAppPassword made;
    for (char byte : util::random_string(conf::app_secret_size))
        made.secret += conf::app_secret_alphabet[static_cast<unsigned char>(byte) % conf::app_secret_alphabet.size()];
    auto verifier = TRY(mail::make_scram_verifier(conf::show_app_secret(made.secret), salt.salt, salt.iterations));
    made.app = {std::move(name), net::sha256(made.secret), mail::to_text(verifier), now, std::move(limits)};
    return made;
}

util::Result<conf::Credential> make_credential(std::string address, const std::string& typed, Scheme scheme,
                                               const ScramSalt& salt)
{
    conf::Credential credential;
    credential.address = std::move(address);
    // What the clients' are compared with.
    const std::string password = mail::prepare_password(typed);
    if (scheme == Scheme::Plain) {
        if (password.find(':') != std::string::npos)
            return util::invalid("a password with a colon cannot be stored as it is");
        credential.hash = util::concat(conf::plain_prefix, password);
    } else {
        // bcrypt sees no more than 72 bytes: two passwords that differ behind them would be one.
        if (scheme == Scheme::Bcrypt && password.size() > 72)
            return util::invalid("bcrypt takes passwords of at most 72 bytes");
        // crypt(3) takes no more.
        if (password.size() >= CRYPT_MAX_PASSPHRASE_SIZE)
            return util::invalid(util::concat("the password is longer than ", CRYPT_MAX_PASSPHRASE_SIZE - 1, " bytes"));
        const char* prefix = scheme == Scheme::Yescrypt ? "$y$" : scheme == Scheme::Sha512 ? "$6$" : "$2b$";
        credential.hash = TRY(hash_password(password, prefix));
    }
    auto verifier = TRY(mail::make_scram_verifier(password, salt.salt, salt.iterations));
    credential.verifier = mail::to_text(verifier);
    return credential;
}

}  // namespace ternuser
