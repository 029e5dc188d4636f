// The types of tables behind libconf/table.h: what open_table() calls with what stands after
// "type:".  Each takes the whole name, too, for messages.
#pragma once

#include "libconf/table.h"

namespace conf {

using OpenedTable = util::Result<std::unique_ptr<Table>>;

// table_simple.cc
OpenedTable open_static(std::string_view name, std::string_view what);
OpenedTable open_fail(std::string_view name, std::string_view what);
OpenedTable open_inline(std::string_view name, std::string_view what);
OpenedTable open_texthash(std::string_view name, std::string_view what);
OpenedTable open_accounts(std::string_view name, std::string_view what);
OpenedTable open_senders(std::string_view name, std::string_view what);
// table_combined.cc
OpenedTable open_union(std::string_view name, std::string_view what, int depth);
OpenedTable open_pipe(std::string_view name, std::string_view what, int depth);
OpenedTable open_table_at(std::string_view name, int depth);
// table_remote.cc
OpenedTable open_proxy(std::string_view name, std::string_view what, int depth);
OpenedTable open_unix(std::string_view name, std::string_view what);
// table_pattern.cc
OpenedTable open_cidr(std::string_view name, std::string_view what);
OpenedTable open_regexp(std::string_view name, std::string_view what);
OpenedTable open_pcre(std::string_view name, std::string_view what);
// table_berkeley.cc, table_lmdb.cc
OpenedTable open_hash(std::string_view name, std::string_view what);
OpenedTable open_btree(std::string_view name, std::string_view what);
OpenedTable open_lmdb(std::string_view name, std::string_view what);

// The name of the file after "type:": an absolute path.
util::Result<std::string> table_path(std::string_view name, std::string_view what);

}  // namespace conf
