// Structs in records: written as between programs (libipc/wire.h), without a name in front.
#pragma once

#include "libipc/wire.h"

namespace queue {

template <typename Struct>
std::string encode_fields(const Struct& value)
{
    std::string out;
    std::vector<int> descriptors;
    ipc::detail::Encoder encoder(out, descriptors);
    Struct::fields(value, encoder);
    return out;
}

template <typename Struct>
util::Result<Struct> decode_fields(std::string_view bytes)
{
    auto fields = TRY(ipc::detail::split_fields(bytes));
    std::vector<util::UniqueFd> descriptors;
    Struct value{};
    ipc::detail::Decoder decoder(fields, descriptors);
    Struct::fields(value, decoder);
    TRY(std::move(decoder).finish());
    return value;
}

}  // namespace queue
