// In an object of its own: who only carries SASL lines links no OpenSSL.
#include "libmail/sasl.h"

#include "libutil/text.h"

namespace mail {

util::Result<std::string> decode_sasl_line(std::string_view line, bool initial)
{
    if (line.size() > max_sasl_line)
        return util::invalid("SASL response too long");
    if (line == "*")
        return util::permanent("Authentication cancelled");
    if (initial && line == "=")
        return std::string();
    return util::decode_base64(line);
}

namespace {

struct Name {
    std::string_view text;
    Mechanism mechanism;
};
constexpr Name names[] = {{"PLAIN", Mechanism::Plain},
                          {"LOGIN", Mechanism::Login},
                          {"SCRAM-SHA-256", Mechanism::ScramSha256},
                          {"SCRAM-SHA-256-PLUS", Mechanism::ScramSha256Plus}};

}  // namespace

std::optional<Mechanism> find_mechanism(std::string_view name)
{
    for (const Name& entry : names)
        if (util::equal_nocase(name, entry.text))
            return entry.mechanism;
    return std::nullopt;
}

std::string_view name_of(Mechanism mechanism)
{
    for (const Name& entry : names)
        if (entry.mechanism == mechanism)
            return entry.text;
    return {};
}

bool client_begins(Mechanism mechanism)
{
    return mechanism != Mechanism::Login;
}

}  // namespace mail
