// Where certificates come from.
#include "master/certificate_files.h"

#include "libconf/index.h"
#include "libconf/table.h"
#include "libconf/text_table.h"
#include "libnet/tls.h"
#include "libnet/tls_sni.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <unordered_map>

namespace master {

namespace {

constexpr std::size_t max_chain_file_size = 1'000'000;  // bytes, of all files of a chain

struct NamedFiles {
    std::string name;
    std::vector<std::string> files;
};

util::Result<std::string> read_chain_files(const std::vector<std::string>& files)
{
    std::string text;
    for (const std::string& file : files) {
        text += TRY(util::sys::read_file(file, max_chain_file_size));
        if (!text.ends_with('\n'))
            text += '\n';
    }
    if (text.size() > max_chain_file_size)
        return util::invalid(util::concat("more than ", max_chain_file_size, " bytes"));
    if (files.empty())
        return text;
    // By itself: what stands in a chain file must not look like the beginning of another name's.
    auto parts = TRY(net::split_certificates(text));
    if (!parts.names.empty())
        return util::invalid("a line that begins with tern-sni:");
    if (auto context = net::TlsContext::server(text, {}); !context)
        return context.take_error();
    return text;
}

// All entries of a table, as far as they can be listed.
util::Result<std::vector<NamedFiles>> list_table(const std::string& table, std::vector<std::string>& read)
{
    auto [type, path] = util::split_first(table, ':');
    std::vector<NamedFiles> entries;
    auto take = [&](std::string_view key, std::string_view value) {
        NamedFiles entry{.name = util::lower(key), .files = {}};
        for (std::string_view file : util::split_words(value))
            entry.files.emplace_back(file);
        entries.push_back(std::move(entry));
        return entries.size() <= net::max_sni_names;
    };
    if (auto index = conf::index_type(type)) {
        read.push_back(conf::index_path(*index, path));
        auto opened = TRY(conf::open_index(*index, read.back()));
        TRY(opened->each(take));
        return entries;
    }
    if (type != "texthash")
        return util::invalid(util::concat(type, ": tables cannot be read whole"));
    read.emplace_back(path);
    std::string text = TRY(util::sys::read_file(read.back(), conf::max_text_table));
    conf::Problems problems;
    conf::read_text_table(
        text, path, conf::TextForm::Map, [&](conf::TextEntry entry) { take(entry.key, entry.value); }, problems);
    TRY(problems.result());
    return entries;
}

}  // namespace

util::Result<CertificateText> read_certificates(const CertificateSources& sources)
{
    CertificateText all;
    all.files = sources.chain_files;
    all.text = TRY(read_chain_files(sources.chain_files));
    if (!sources.sni_maps.empty() && all.text.empty())
        return util::invalid("there are no tls_chain_files, for clients that ask for no name");
    std::unordered_map<std::string, bool> seen;
    for (const std::string& table : sources.sni_maps) {
        auto entries = list_table(table, all.files);
        if (!entries)
            return entries.take_error().in(table);
        for (const NamedFiles& entry : *entries) {
            if (!net::is_sni_name(entry.name))
                return util::invalid(util::concat(table, ": no name of a server: ", util::printable(entry.name, 100)));
            // The first table counts, as always.
            if (!seen.emplace(entry.name, true).second)
                continue;
            auto chain =
                entry.files.empty() ? util::Result<std::string>(util::invalid("no files")) : read_chain_files(entry.files);
            if (!chain)
                return chain.take_error().in(util::concat(table, ": ", entry.name));
            all.files.insert(all.files.end(), entry.files.begin(), entry.files.end());
            all.text += net::sni_text(entry.name, *chain);
        }
    }
    (void)TRY(net::split_certificates(all.text));
    return all;
}

}  // namespace master
