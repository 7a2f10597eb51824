/* Included ahead of every source of the library: functions that lose bounds or state, or read errors as 0, do not
 * compile. */
#ifndef NX_BANNED_H
#define NX_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy stpcpy strcat strncpy strncat sprintf vsprintf strtok strtok_r atoi atol atoll atof
#pragma GCC poison gmtime localtime ctime asctime rand srand random getenv setenv putenv

#endif
