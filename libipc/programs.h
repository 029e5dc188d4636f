// Who is who: the programs that master(8) starts, whose uid they run under, and what they are given.
#pragma once

#include <string_view>

namespace server {

struct Program {
    std::string_view name;
    std::string_view owner;     // the parameter that names its uid; empty: root
    bool certificates = false;  // gets the certificates
    bool stress = false;        // knows what to do about -o stress=yes: serves one client at a time, and hurries
};

constexpr Program programs[] = {
    {"smtpd", "smtpd_owner", true, true},  {"imapd", "imapd_owner", true},     {"pop3d", "pop3d_owner", true},
    {"cleanup", "cleanup_owner"},      {"pickup", "pickup_owner"},         {"qmgr", "mail_owner"},
    {"local", "local_owner"},          {"bounce", "bounce_owner"},         {"auth", "auth_owner"},
    {"smtp", "smtp_owner"},            {"lmtp", "smtp_owner"},
    {"anvil", "anvil_owner"},          {"log", "log_owner"},              {"usher", ""},
    {"errands", ""},                   {"pipe", ""},                      {"tables", "tables_owner"},
    {"auth-pam", ""},                  {"sts", "sts_owner"},              {"verify", "verify_owner"},
};

// Null for a program that is not of the suite.
constexpr const Program* find_program(std::string_view name)
{
    for (const Program& program : programs) {
        if (program.name == name)
            return &program;
    }
    return nullptr;
}

}  // namespace server
