// The template half of LogStore: how any record gets into the log.
#pragma once

#include "libstore/log_store.h"
#include "libutil/crc32c.h"

namespace store {

template <typename Record>
Lsn LogStore::write(const Record& record, Lsn span, std::uint16_t index, std::uint16_t count,
                    std::string_view body, std::string_view more_body)
{
    std::string& meta = scratch_;
    meta.clear();
    record.encode(meta);
    std::size_t length = record_header_size + meta.size() + body.size() + more_body.size();
    CHECK(length <= max_record_size);
    state_.last += span;
    pending_.reserve(pending_.size() + padded(length));  // a large record is not moved as it grows
    encode_header({.lsn = state_.last,
                   .durable = durable_,
                   .length = std::uint32_t(length),
                   .meta_length = std::uint32_t(meta.size()),
                   .type = Record::type,
                   .group_index = index,
                   .group_size = count,
                   .meta_checksum = util::crc32c(meta)},
                  tag_, pending_);
    pending_.append(meta).append(body).append(more_body);
    pending_.append(padded(length) - length, '\0');
    end_ += padded(length);
    ++tail_records_;
    tail_bytes_ += padded(length);
    if (pending_.size() > max_pending && index + 1 == count)
        submit();
    return state_.last;
}

template <typename Record>
Lsn LogStore::add(const Record& record, Lsn span, std::uint16_t index, std::uint16_t count)
{
    Lsn lsn = write(record, span, index, count);
    state_.apply(lsn, record);
    return lsn;
}

}  // namespace store
