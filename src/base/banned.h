/*
 * Functions that do not compile in this tree, because each has a better one beside it.
 *
 * Forced into every file of ours by the build (-include), behind config.h and the headers that
 * declare the functions, so that system headers read later still parse.
 */
#ifndef PUNCHD_BASE_BANNED_H
#define PUNCHD_BASE_BANNED_H

#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(name) banned_function_##name##_see_base_banned_h

#undef strcpy
#define strcpy(d, s) BANNED(strcpy) /* snprintf, buf_add */
#undef strcat
#define strcat(d, s) BANNED(strcat) /* buf_add */
#undef sprintf
#define sprintf(...) BANNED(sprintf) /* snprintf, buf_addf */
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf) /* vsnprintf */
#undef strtok
#define strtok(s, d) BANNED(strtok) /* strtok_r, strsep */
#undef gets
#define gets(s) BANNED(gets) /* fgets */
#undef atoi
#define atoi(s) BANNED(atoi) /* units_parse_int: errors are seen */
#undef localtime
#define localtime(t) BANNED(localtime) /* base/zone.h */
#undef gmtime
#define gmtime(t) BANNED(gmtime) /* base/time.h */
#undef rand
#define rand() BANNED(rand) /* the loop's randomness: loop_random */

#endif
