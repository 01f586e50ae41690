/* base/banned.h - unsafe calls become compile errors (from git's habit).
 *
 * Included by the build for every file of src/ (-include), after which the
 * names below cannot be used.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok
#pragma GCC poison gmtime localtime ctime asctime atoi atol atoll

#endif
