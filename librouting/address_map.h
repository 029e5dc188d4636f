// One address for another by tables: canonical(5), generic(5).
#pragma once

#include "librouting/router.h"

namespace routing {

// How often the result may be replaced again.
constexpr int max_address_steps = 1000;

// What an address becomes: looked up as in Router::look_up(), again and again, until there is no entry
// or it is that of the address itself.  An entry "@domain" changes the domain only; of several
// addresses the first counts, with a warning.  `keep_extension`: an extension that was not part of
// the key is added to the result (propagate_unmatched_extensions).  Temporary: a table that cannot be
// read (code 0), an entry that is no address or a loop (code ELOOP).
util::Result<mail::Address> map_address(Router& router, conf::Tables& tables, const mail::Address& address,
                                        bool keep_extension);

}  // namespace routing
