// Site: our domains and their recipients.
#include "smtpd/site.h"

#include "libutil/text.h"

namespace smtpd {

util::Result<std::unique_ptr<Site>> Site::open(const conf::Common& common)
{
    std::unique_ptr<Site> site(new Site(common));
    site->local_ = TRY(conf::Domains::parse(*common.mydestination));
    site->virtual_ = TRY(conf::Domains::parse(*common.virtual_mailbox_domains));
    site->mailboxes_ = TRY(conf::Tables::open(*common.virtual_mailbox_maps));
    return site;
}

util::Result<Destinations::Answer> Site::find(const mail::Address& address)
{
    std::string domain = util::lower(address.domain);
    bool is_virtual = TRY(virtual_.contains(domain));
    if (!is_virtual) {
        bool is_local = TRY(local_.contains(domain));
        return Answer{is_local ? Kind::Listed : Kind::Elsewhere, {}, is_local};
    }
    auto [user, extension] = mail::split_extension(address.local_part, *common_.recipient_delimiter);
    auto found = TRY(mailboxes_.lookup({{mail::to_text({address.local_part, domain}), false},
                                        {mail::to_text({std::string(user), domain}), false},
                                        {"@" + domain, false}}));
    if (found)
        return Answer{Kind::Listed, {}, false};
    return Answer{Kind::Unlisted, "User unknown in virtual mailbox table", false};
}

}  // namespace smtpd
