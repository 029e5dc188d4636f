// An ENVELOPE in the making: fed field by field, so that one walk over a header serves more than it.
#pragma once

#include "libmail/address_list.h"
#include "libmail/header.h"

#include <string>
#include <string_view>
#include <vector>

namespace mail {

class EnvelopeView {
public:
    // Views into the field's message are kept.
    void take(const FieldView& field);
    std::string render() const;

    std::string_view date() const { return date_; }  // data() == nullptr: absent

private:
    using Addresses = std::vector<ListEntry>;

    std::string_view date_, subject_, in_reply_to_, message_id_;
    Addresses from_, sender_, reply_to_, to_, cc_, bcc_;
};

}  // namespace mail
