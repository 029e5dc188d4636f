// The main.cf(5) parameters of newaliases(1).
#pragma once

#include "libconf/parameter.h"

namespace sendmail {

struct Config : conf::Section {
    conf::TableNames alias_database{this, "alias_database", "$alias_maps",
        "The tables that newaliases makes from their texts, in the form of aliases(5): those of the types hash, "
        "btree and lmdb."};
};

}  // namespace sendmail
