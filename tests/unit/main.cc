// The runner of all unit test binaries: every SUITE() that is linked in runs, each case in a
// process of its own.
#include "tests/unit/suite.h"

#include "libutil/log.h"

#include <cstdlib>

namespace {

test::SuiteEntry* first = nullptr;

}  // namespace

test::SuiteEntry::SuiteEntry(const char* suite_name, void (*fill)(TCase*))
    : name(suite_name), fill_case(fill), next(first)
{
    first = this;
}

int main()
{
    util::log::to_nowhere();
    SRunner* runner = nullptr;
    for (test::SuiteEntry* entry = first; entry; entry = entry->next) {
        Suite* suite = suite_create(entry->name);
        TCase* cases = tcase_create(entry->name);
        tcase_set_timeout(cases, 300);   // a busy machine, with a sanitizer, takes minutes for a whole sweep
        entry->fill_case(cases);
        suite_add_tcase(suite, cases);
        if (runner)
            srunner_add_suite(runner, suite);
        else
            runner = srunner_create(suite);
    }
    if (!runner)
        return EXIT_FAILURE;
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
