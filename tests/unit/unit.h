/* What every unit test includes: cmocka and what it needs before it. */
#ifndef PUNCHD_TESTS_UNIT_H
#define PUNCHD_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#endif
