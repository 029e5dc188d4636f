// The main.cf(5) parameters of auth(8): their only declaration.
#pragma once

#include "libconf/parameter.h"

namespace auth {

struct Config : conf::Section {
    conf::Words mechanisms{this, "auth_mechanisms", "SCRAM-SHA-256-PLUS, SCRAM-SHA-256, PLAIN, LOGIN",
        "The SASL mechanisms to offer, the preferred one first.  Those of the SCRAM family are offered "
        "only while every account has a SCRAM verifier, PLAIN and LOGIN without TLS only with "
        "allow_plaintext_login."};
    conf::Count workers{this, "auth_workers", "2", {.min = 1, .max = 64},
        "How many processes check password hashes at a time; they are started when they are first "
        "needed.  One check of yescrypt takes some 20 milliseconds of CPU."};
    conf::Count queue_limit{this, "auth_queue_limit", "1000", {.min = 1, .max = 100'000},
        "How many log-ins may wait for a check of their password to begin, or share one with another.  Beyond "
        "it clients are told to try again later."};
    conf::Count cache_size{this, "auth_cache_size", "1000", {.max = 1'000'000},
        "How many recent successes are remembered, so that the same name and password need no hashing "
        "again; 0: none.  What is kept is a hash under a key that only this process has."};
    conf::Duration cache_ttl{this, "auth_cache_ttl", "1h",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(24 * 7)},
        "How long.  A change of the files of accounts or credentials forgets all at once."};
    conf::Duration failure_delay{this, "auth_failure_delay", "2s", {.max = std::chrono::seconds(60)},
        "How long after it asked a client is told of a failure, with the time that the check took; twice as long after each "
        "five failures of the client's network within anvil_failure_time, up to auth_failure_delay_limit."};
    conf::Duration failure_delay_limit{this, "auth_failure_delay_limit", "16s", {.max = std::chrono::seconds(60)},
        "See auth_failure_delay."};
    conf::Count network_failure_limit{this, "auth_network_failure_limit", "30", {.max = 1'000'000},
        "After this many failed log-ins within anvil_failure_time nobody logs in from a client's network, until the last "
        "failure is anvil_failure_time ago; 0: no limit."};
    conf::Count account_failure_limit{this, "auth_account_failure_limit", "100", {.max = 1'000'000},
        "After this many failed log-ins within anvil_failure_time an account is open only to networks from which it has "
        "logged in within anvil_known_network_time, until the last failure is anvil_failure_time ago; 0: no limit."};
    conf::Words failure_exceptions{this, "auth_failure_exceptions", "$mynetworks",
        "Clients, in the form of mynetworks, whose failed log-ins count for nothing: a webmail's host, through which "
        "everybody comes."};
    conf::Count client_ipv4_prefix_length{this, "auth_client_ipv4_prefix_length", "32", {.max = 32},
        "How many bits of a client's IPv4 address make its network."};
    conf::Count client_ipv6_prefix_length{this, "auth_client_ipv6_prefix_length", "64", {.max = 128},
        "The same for IPv6."};
    conf::Duration ticket_lifetime{this, "auth_ticket_lifetime", "10s",
        {.min = std::chrono::seconds(1), .max = std::chrono::minutes(5)},
        "How long a ticket for a session is good."};
};

}  // namespace auth
