// test-service sandbox ABI DIRECTORY: enters a sandbox and tries what it must not be able to do.
//
// DIRECTORY holds readable/, writable/, letterbox/, modifiable/ and hidden/, each with a file.
// Prints a line for each attempt, "ok TEXT" or "not ok TEXT"; status 0 when all are ok.
#pragma once

int sandbox_probe(int argc, char** argv);
