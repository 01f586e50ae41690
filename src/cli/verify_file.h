/* cli/verify_file.h - licet verify FILE. */
#ifndef CLI_VERIFY_FILE_H
#define CLI_VERIFY_FILE_H

#include "cli/cmd.h"

int verify_file(int argc, char **argv);

#endif
