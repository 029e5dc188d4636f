// The command line of sendmail(1).
#include "tools/sendmail/options.h"

#include "libutil/text.h"

#include <algorithm>

namespace sendmail {

namespace {

// Options that mean nothing here, but come with a value: -B, -h, -L, -O, -X.
constexpr std::string_view ignored_with_value = "BhLOX";
// Options that mean nothing here: -A, -m, -n, -U, -v and their company take no value of their own.
constexpr std::string_view ignored = "AmnUv";
constexpr std::string_view with_value = "CcFfrNRV";

util::Result<std::uint8_t> parse_notify(std::string_view text)
{
    if (util::equal_nocase(text, "never"))
        return ipc::NotifyNever;
    unsigned notify = 0;
    for (std::string_view word : util::split_words(text, ",")) {
        if (util::equal_nocase(word, "success"))
            notify |= ipc::NotifySuccess;
        else if (util::equal_nocase(word, "failure"))
            notify |= ipc::NotifyFailure;
        else if (util::equal_nocase(word, "delay"))
            notify |= ipc::NotifyDelay;
        else
            return util::invalid("-N takes never, or success, failure and delay with commas between");
    }
    return std::uint8_t(notify);
}

class Parser {
public:
    explicit Parser(std::span<char* const> arguments) : arguments_(arguments) {}

    util::Result<void> run(Options& options)
    {
        for (; at_ < arguments_.size(); ++at_) {
            std::string_view word = arguments_[at_];
            if (word == "--") {
                ++at_;
                break;
            }
            if (word.size() < 2 || word[0] != '-')
                break;
            TRY(option(word[1], word.substr(2), options));
        }
        for (; at_ < arguments_.size(); ++at_)
            options.recipients.emplace_back(arguments_[at_]);
        return {};
    }

private:
    // The rest of the word, or the next word.
    util::Result<std::string_view> value(char letter, std::string_view rest)
    {
        if (!rest.empty())
            return rest;
        if (at_ + 1 >= arguments_.size())
            return util::invalid(util::concat("option -", letter, " needs a value"));
        return std::string_view(arguments_[++at_]);
    }

    util::Result<void> option(char letter, std::string_view rest, Options& options)
    {
        if (with_value.find(letter) != std::string_view::npos)
            return valued(letter, TRY(value(letter, rest)), options);
        if (ignored_with_value.find(letter) != std::string_view::npos)
            return value(letter, rest).ok() ? util::Result<void>()
                                            : util::invalid(util::concat("option -", letter, " needs a value"));
        switch (letter) {
        case 'b':
            return mode(rest, options);
        case 'G':
            options.complete_header = false;
            return {};
        case 'I':
            options.mode = Mode::NewAliases;
            return {};
        case 'i':
            options.dot_ends = false;
            return {};
        case 'o':
            // -oi and the rest of sendmail.cf's one-letter settings, which change nothing here.
            if (rest.starts_with('i'))
                options.dot_ends = false;
            return {};
        case 'q':
            return flush(rest, options);
        case 't':
            options.recipients_from_header = true;
            return rest == "i" ? option('i', "", options) : util::Result<void>();
        default:
            if (ignored.find(letter) != std::string_view::npos)
                return {};
            return util::invalid(util::concat("unknown option -", letter));
        }
    }

    static util::Result<void> valued(char letter, std::string_view text, Options& options)
    {
        switch (letter) {
        case 'C':
        case 'c':
            options.config_directory = text;
            break;
        case 'F':
            options.full_name = text;
            break;
        case 'f':
        case 'r':
            options.sender = text;
            break;
        case 'N':
            options.notify = TRY(parse_notify(text));
            break;
        case 'R':
            if (util::starts_with_nocase(text, "hdrs") || util::starts_with_nocase(text, "headers"))
                options.return_part = ipc::ReturnPart::Headers;
            else if (util::equal_nocase(text, "full"))
                options.return_part = ipc::ReturnPart::Full;
            else
                return util::invalid("-R takes full or hdrs");
            break;
        case 'V':
            // RFC 3461 §4.4: printable, without blanks.
            if (text.size() > 100 || !std::ranges::all_of(text, [](char c) { return util::is_printable(c) && c != ' '; }))
                return util::invalid("-V takes up to 100 printable characters without blanks");
            options.envelope_id = text;
            break;
        }
        return {};
    }

    static util::Result<void> mode(std::string_view rest, Options& options)
    {
        if (rest == "m") {
            options.mode = Mode::Deliver;
            return {};
        }
        if (rest == "p") {
            options.mode = Mode::ListQueue;
            return {};
        }
        if (rest == "i") {
            options.mode = Mode::NewAliases;
            return {};
        }
        return util::invalid(util::concat("mode -b", rest, " is not supported: -bm delivers, -bp lists the queue, -bi makes alias tables"));
    }

    // -q, -q30m: all; -qIID: one message; -qRSITE: one destination.
    static util::Result<void> flush(std::string_view rest, Options& options)
    {
        options.mode = Mode::Flush;
        if (rest.starts_with('I'))
            options.flush_id = rest.substr(1);
        else if (rest.starts_with('R'))
            options.flush_site = rest.substr(1);
        return {};
    }

    std::span<char* const> arguments_;
    std::size_t at_ = 0;
};

}  // namespace

util::Result<Options> parse_options(std::string_view program, std::span<char* const> arguments)
{
    Options options;
    if (program == "mailq")
        options.mode = Mode::ListQueue;
    else if (program == "newaliases")
        options.mode = Mode::NewAliases;
    TRY(Parser(arguments).run(options));
    return options;
}

}  // namespace sendmail
