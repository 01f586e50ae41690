#include "cli/cmd.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} reports[] = {
    { "consent", cmd_report_consent },
    { "voided", cmd_report_voided },
    { "coverage", cmd_report_coverage },
};

int cmd_report(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < COUNT(reports); i++) {
        if (strcmp(argv[1], reports[i].name) == 0)
            return reports[i].run(argc, argv);
    }
    return cmd_fail(EXIT_USAGE, "which report? licet report --help lists them");
}
