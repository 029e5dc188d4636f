// The template half of LogStore: how any record gets into the log.
#pragma once

#include "libstore/log_store.h"
#include "libutil/crc32c.h"

namespace store {

template <typename Record>
Lsn LogStore::write(const Record& record, Lsn span, std::uint16_t index, std::uint16_t count,
                    std::string_view body, std::string_view more_body)
{
    // A large record is not moved as it grows, nor written twice: its header comes when its meta is there.
    std::size_t start = pending_.size();
    std::size_t expected = record_header_size + body.size() + more_body.size() + 512;
    if constexpr (requires { record.size_to_expect(); })
        expected += record.size_to_expect();
    if (pending_.capacity() < start + expected)
        pending_.reserve(start + expected);
    pending_.append(record_header_size, '\0');
    record.encode(pending_);
    meta_length_ = pending_.size() - start - record_header_size;
    std::size_t length = record_header_size + meta_length_ + body.size() + more_body.size();
    CHECK(length <= max_record_size);
    state_.last += span;
    std::string& header = scratch_;
    header.clear();
    encode_header({.lsn = state_.last,
                   .durable = durable_,
                   .length = std::uint32_t(length),
                   .meta_length = std::uint32_t(meta_length_),
                   .type = Record::type,
                   .group_index = index,
                   .group_size = count,
                   .meta_checksum = util::crc32c(std::string_view(pending_).substr(start + record_header_size))},
                  tag_, header);
    pending_.replace(start, header.size(), header);
    pending_.append(body).append(more_body);
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
