#include "cli/cmd.h"

#include <stdio.h>

int cmd_version(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return cmd_fail(EXIT_USAGE, "takes no arguments");
    (void)printf("licet %s\n", LICET_VERSION);
    return EXIT_DONE;
}
