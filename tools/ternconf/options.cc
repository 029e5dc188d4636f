// The command line of ternconf(1): postconf's letters.
#include "tools/ternconf/options.h"

#include "libutil/text.h"

#include <getopt.h>
#include <unistd.h>

namespace ternconf {

namespace {

util::Result<void> take_edit(Options& options, Action action)
{
    if (options.edit && *options.edit != action)
        return util::invalid("only one of -e, -X and -# can be given");
    options.edit = action;
    return {};
}

util::Result<void> check(const Options& options)
{
    using What = Options::What;
    if (options.edit && options.words.empty())
        return util::invalid("-e, -X and -# want to know what to change");
    if (options.edit && (options.defaults || options.set_only || options.json || options.expand))
        return util::invalid("-e, -X and -# do not go with -d, -n, -j and -x");
    bool postfix = options.what == What::Postfix || options.what == What::PostfixTable;
    if (postfix && (options.edit || !options.words.empty()))
        return util::invalid("--from-postfix and --postfix-parameters stand alone");
    if (options.dry_run && options.what != What::Postfix)
        return util::invalid("--dry-run goes with --from-postfix");
    if (options.defaults && options.set_only)
        return util::invalid("-d and -n do not go together");
    if (options.what == What::Notices && (options.edit || options.words.size() > 1))
        return util::invalid("-b and -t take one file");
    bool master = options.what == What::Services || options.what == What::Fields ||
                  options.what == What::ServiceParameters;
    if (master && (options.defaults || options.set_only))
        return util::invalid("-d and -n are about main.cf");
    return {};
}

}  // namespace

util::Result<Options> parse_options(int count, char** words)
{
    Options options;
    if (count == 3 && std::string_view(words[1]) == "--mdoc") {
        options.what = Options::What::Mdoc;
        options.words = {words[2]};
        return options;
    }
    using What = Options::What;
    int letter;
    optind = 1;
    opterr = 0;
    constexpr int from_postfix = 1000, postfix_parameters = 1001, dry_run = 1002;
    const option long_options[] = {{"from-postfix", required_argument, nullptr, from_postfix},
                                   {"postfix-parameters", no_argument, nullptr, postfix_parameters},
                                   {"dry-run", no_argument, nullptr, dry_run},
                                   {}};
    while ((letter = ::getopt_long(count, words, ":bc:defhHjmMno:pPFtxX#", long_options, nullptr)) != -1) {
        switch (letter) {
        case from_postfix:
            options.what = What::Postfix;
            options.postfix_directory = optarg;
            break;
        case postfix_parameters: options.what = What::PostfixTable; break;
        case dry_run: options.dry_run = true; break;
        case 'c': options.config_directory = optarg; break;
        case 'o': options.overrides.emplace_back(optarg); break;
        case 'd': options.defaults = true; break;
        case 'n': options.set_only = true; break;
        case 'x': options.expand = true; break;
        case 'h': options.values_only = true; break;
        case 'H': options.names_only = true; break;
        case 'f': options.fold = true; break;
        case 'j': options.json = true; break;
        case 'b':
            options.what = What::Notices;
            options.expand = true;
            break;
        case 't': options.what = What::Notices; break;
        case 'm': options.what = What::TableTypes; break;
        case 'M': options.what = What::Services; break;
        case 'F': options.what = What::Fields; break;
        case 'P': options.what = What::ServiceParameters; break;
        case 'p': options.what = What::Main; break;
        case 'e': TRY(take_edit(options, Action::Set)); break;
        case 'X': TRY(take_edit(options, Action::Remove)); break;
        case '#': TRY(take_edit(options, Action::CommentOut)); break;
        case ':': return util::invalid(util::concat("-", char(optopt), " wants a word after it"));
        default:
            return util::invalid(optopt > 0 && optopt < from_postfix ? util::concat("unknown option -", char(optopt))
                                                                     : std::string("unknown option"));
        }
    }
    for (int i = optind; i < count; ++i)
        options.words.emplace_back(words[i]);
    TRY(check(options));
    return options;
}

std::string usage()
{
    return "usage: ternconf [-dfhHjnx] [-c directory] [-o name=value] [name ...]\n"
           "       ternconf [-c directory] -e name=value ... | -X name ... | -# name ...\n"
           "       ternconf [-c directory] -M [-fj] [service[/type] ...]\n"
           "       ternconf [-c directory] -M -e service/type=entry ... | -MX service/type ... | -M# service/type ...\n"
           "       ternconf [-c directory] -F [-hHj] [service[/type[/field]] ...] | -Fe service/type/field=value ...\n"
           "       ternconf [-c directory] -P [-hHjx] [service[/type[/name]] ...] | -Pe service/type/name=value ...\n"
           "       ternconf [-c directory] -PX service/type/name ...\n"
           "       ternconf -b | -t [-c directory] [-o name=value] [template-file]\n"
           "       ternconf [-j] [-c directory] [--dry-run] --from-postfix directory\n"
           "       ternconf -m | --postfix-parameters\n";
}

}  // namespace ternconf
