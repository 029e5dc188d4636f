// The secret credentials file.
#include "libconf/credentials_file.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>

namespace conf {

namespace {

bool has_control(std::string_view text)
{
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
}

util::Result<std::string_view> behind_version(std::string_view text)
{
    if (!text.starts_with(credentials_version_line))
        return util::invalid("not a credentials file of version 1");
    return text.substr(credentials_version_line.size());
}

std::string_view address_of(std::string_view line)
{
    return line.substr(0, line.find(':'));
}

}  // namespace

util::Result<Credential> parse_credential_line(std::string_view line)
{
    if (line.size() > max_credential_line)
        return util::invalid("the line is too long");
    if (has_control(line))
        return util::invalid("control characters");
    std::size_t first = line.find(':');
    std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos)
        return util::invalid("not address:hash:verifier");
    Credential credential{std::string(line.substr(0, first)), std::string(line.substr(first + 1, second - first - 1)),
                          std::string(line.substr(second + 1))};
    if (credential.address.empty() || util::lower(credential.address) != credential.address)
        return util::invalid("the address is empty or has upper case letters");
    return credential;
}

util::Result<std::string> format_credential_line(const Credential& credential)
{
    if (credential.address.find(':') != std::string::npos || credential.hash.find(':') != std::string::npos)
        return util::invalid("a colon in an address or a hash");
    std::string line = util::concat(credential.address, ':', credential.hash, ':', credential.verifier);
    TRY(parse_credential_line(line));
    return line;
}

util::Result<std::vector<Credential>> parse_credentials(std::string_view text)
{
    std::string_view rest = TRY(behind_version(text));
    std::vector<Credential> all;
    int number = 1;
    while (!rest.empty()) {
        ++number;
        std::size_t end = rest.find('\n');
        if (end == std::string_view::npos)
            return util::invalid(util::concat("line ", number, ": the end is missing"));
        auto credential = parse_credential_line(rest.substr(0, end));
        if (!credential.ok())
            return util::invalid(util::concat("line ", number, ": ", credential.error().text));
        if (!all.empty() && all.back().address >= credential->address)
            return util::invalid(util::concat("line ", number, ": not in order"));
        all.push_back(credential.take());
        rest.remove_prefix(end + 1);
    }
    return all;
}

util::Result<std::string> format_credentials(std::vector<Credential> credentials)
{
    std::ranges::sort(credentials, {}, &Credential::address);
    std::string text(credentials_version_line);
    const Credential* before = nullptr;
    for (const Credential& credential : credentials) {
        if (before && before->address == credential.address)
            return util::invalid(util::concat(credential.address, " is there twice"));
        text += TRY(format_credential_line(credential));
        text += '\n';
        before = &credential;
    }
    return text;
}

util::Result<std::vector<Credential>> read_credentials(const std::string& path)
{
    auto text = util::sys::read_file(path, max_credentials_size);
    if (!text.ok()) {
        if (text.error().kind == util::Kind::NotFound)
            return std::vector<Credential>();
        return text.take_error();
    }
    auto all = parse_credentials(*text);
    if (!all.ok())
        return std::move(all).take_error().in(path);
    return all;
}

util::Result<bool> CredentialsReader::update()
{
    auto about = util::sys::stat(path_);
    if (!about.ok() && about.error().kind != util::Kind::NotFound)
        return about.take_error();
    struct stat now{};
    if (about.ok())
        now = *about;
    std::int64_t changed = std::int64_t(now.st_mtim.tv_sec) * 1'000'000'000 + now.st_mtim.tv_nsec;
    if (read_ && now.st_dev == device_ && now.st_ino == inode_ && changed == changed_ && now.st_size == size_)
        return false;
    read_ = false;
    text_.clear();
    first_ = {};
    count_ = verifiers_ = 0;
    if (about.ok()) {
        std::string text = TRY(util::sys::read_file(path_, max_credentials_size));
        auto all = parse_credentials(text);
        if (!all.ok())
            return util::temporary(util::concat(path_, ": ", all.error().text));
        count_ = all->size();
        for (const Credential& credential : *all)
            verifiers_ += !credential.verifier.empty();
        if (!all->empty())
            first_ = all->front();
        text_ = text.substr(credentials_version_line.size());
    }
    read_ = true;
    device_ = now.st_dev;
    inode_ = now.st_ino;
    changed_ = changed;
    size_ = now.st_size;
    return true;
}

// Bisection over the bytes: a probe in the middle of a line moves to its start.
std::optional<Credential> CredentialsReader::find(std::string_view address) const
{
    std::string_view text = text_;
    std::size_t low = 0, high = text.size();
    while (low < high) {
        std::size_t middle = low + (high - low) / 2;
        std::size_t before = middle == 0 ? std::string_view::npos : text.rfind('\n', middle - 1);
        std::size_t start = before == std::string_view::npos ? 0 : before + 1;
        std::size_t end = std::min(text.find('\n', middle), text.size());
        std::string_view line = text.substr(start, end - start);
        std::string_view here = address_of(line);
        if (here == address) {
            auto credential = parse_credential_line(line);
            return credential.ok() ? std::optional(credential.take()) : std::nullopt;
        }
        if (here < address)
            low = end + 1;
        else
            high = start;
    }
    return {};
}

}  // namespace conf
