// Certificates by name.
#include "libnet/tls_sni.h"

#include "libnet/tls_internal.h"
#include "libutil/text.h"

#include <algorithm>
#include <openssl/err.h>
#include <unordered_map>

namespace net {

namespace {

constexpr std::string_view mark = "tern-sni: ";

// The names of a server, and their contexts as soon as somebody has asked for them: a server may have
// thousands of names, and a process that serves a hundred clients meets few.
class Names {
public:
    explicit Names(std::vector<SniEntry> entries)
    {
        for (SniEntry& entry : entries)
            texts_.emplace(std::move(entry.name), std::move(entry.pem));
    }

    // Null: nothing for this name.
    SSL_CTX* find(std::string_view asked)
    {
        std::string name = util::lower(asked);
        std::string_view rest = name;
        if (auto found = texts_.find(rest); found != texts_.end())
            return context_of(found->first, found->second);
        for (std::size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.', 1)) {
            rest.remove_prefix(dot);
            if (auto found = texts_.find(rest); found != texts_.end())
                return context_of(found->first, found->second);
        }
        return nullptr;
    }

private:
    SSL_CTX* context_of(const std::string& name, const std::string& pem)
    {
        auto& context = contexts_[name];
        if (context)
            return context.get();
        // Only its certificates count: all else stays as the connection has it (SSL_set_SSL_CTX(3)).
        util::Handle<SSL_CTX, SSL_CTX_free> made(SSL_CTX_new(TLS_server_method()));
        auto read = detail::read_pem(pem);
        if (!made || !read.ok() || !detail::use_chains(made.get(), *read).ok())
            return nullptr;  // master(8) has looked before; the client gets what everybody gets
        context = std::move(made);
        return context.get();
    }

    std::unordered_map<std::string, std::string, util::HashText, std::equal_to<>> texts_;
    std::unordered_map<std::string, util::Handle<SSL_CTX, SSL_CTX_free>> contexts_;
};

void free_names(void*, void* names, CRYPTO_EX_DATA*, int, long, void*)
{
    std::unique_ptr<Names> owned(static_cast<Names*>(names));
}

// Where a context keeps its names, so that they live as long as it does: a connection in its handshake may
// outlive the server's TlsContext.
int names_index()
{
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_names);
    return index;
}

int choose_certificate(SSL* connection, int*, void* argument)
{
    const char* asked = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
    if (!asked)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_CTX* context = static_cast<Names*>(argument)->find(asked);
    ERR_clear_error();
    if (context)
        SSL_set_SSL_CTX(connection, context);
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace

bool is_sni_name(std::string_view name)
{
    if (name.starts_with('.'))
        name.remove_prefix(1);
    if (name.empty() || name.size() > 255)
        return false;
    return std::ranges::all_of(util::split(name, '.'), [](std::string_view label) {
        return !label.empty() && label.size() <= 63 &&
               std::ranges::all_of(label, [](char c) { return util::is_alnum(c) || c == '-' || c == '_'; });
    });
}

std::string sni_text(std::string_view name, std::string_view pem)
{
    return util::concat(mark, util::lower(name), '\n', pem, pem.ends_with('\n') ? "" : "\n");
}

util::Result<CertificateTexts> split_certificates(std::string_view text)
{
    if (text.size() > max_certificates_size)
        return util::invalid(util::concat("certificates of more than ", max_certificates_size, " bytes"));
    CertificateTexts texts;
    auto next_mark = [&](std::size_t from) {
        while (from < text.size()) {
            std::size_t at = text.find(mark, from);
            if (at == std::string_view::npos || at == 0 || text[at - 1] == '\n')
                return std::min(at, text.size());
            from = at + 1;
        }
        return text.size();
    };
    std::size_t at = next_mark(0);
    texts.everybody = text.substr(0, at);
    std::unordered_map<std::string, bool> seen;
    while (at < text.size()) {
        std::size_t end = std::min(text.find('\n', at), text.size());
        std::string name = util::lower(text.substr(at + mark.size(), end - at - mark.size()));
        if (!is_sni_name(name))
            return util::invalid(util::concat("no name of a server: ", util::printable(name, 100)));
        if (!seen.emplace(name, true).second)
            return util::invalid(util::concat("there twice: ", name));
        if (seen.size() > max_sni_names)
            return util::invalid(util::concat("more than ", max_sni_names, " names of servers"));
        at = next_mark(end);
        texts.names.push_back({std::move(name), std::string(text.substr(end, at - end))});
    }
    return texts;
}

void detail::choose_by_name(SSL_CTX* context, std::vector<SniEntry> names)
{
    if (names.empty())
        return;
    auto owned = std::make_unique<Names>(std::move(names));
    CHECK(SSL_CTX_set_ex_data(context, names_index(), owned.get()) == 1);
    SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(context, owned.get());
    (void)owned.release();  // free_names() owns it now
}

}  // namespace net
