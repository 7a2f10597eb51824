/* cmocka with its prerequisites, in the one order that works. */
#ifndef NX_TEST_H
#define NX_TEST_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#endif
