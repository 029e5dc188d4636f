#include "librouting/probe_sender.h"

#include "libutil/text.h"

namespace routing {

namespace {

// Digits and letters in either case are the same address to others.
std::string in_letters(std::uint64_t number)
{
    constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuv";
    std::string text;
    do {
        text.insert(text.begin(), letters[number % letters.size()]);
        number /= letters.size();
    } while (number > 0);
    return text;
}

}  // namespace

ProbeSender ProbeSender::of(std::string_view sender, std::string_view origin, util::Duration lifetime)
{
    if (sender.empty() || sender == "<>")
        return {};
    bool whole = sender.find('@') != std::string_view::npos;
    return {whole ? std::string(sender) : util::concat(sender, '@', origin), lifetime};
}

std::string ProbeSender::at(util::WallTime now) const
{
    if (base.empty() || lifetime <= util::Duration::zero())
        return base;
    std::size_t at = base.rfind('@');
    return util::concat(std::string_view(base).substr(0, at), in_letters(std::uint64_t(now.time_since_epoch() / lifetime)),
                        std::string_view(base).substr(at));
}

bool ProbeSender::is_one(const mail::Address& address, util::WallTime now) const
{
    if (base.empty())
        return false;
    std::string text = mail::to_text(address);
    for (util::WallTime when : {now - lifetime, now, now + lifetime})
        if (util::equal_nocase(text, at(when)))
            return true;
    return false;
}

bool ProbeSender::is_base(const mail::Address& address) const
{
    return !base.empty() && util::equal_nocase(mail::to_text(address), base);
}

}  // namespace routing
