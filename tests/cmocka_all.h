#ifndef TESTS_CMOCKA_ALL_H_
#define TESTS_CMOCKA_ALL_H_

/* cmocka.h wants these before it, in this order. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#endif /* !TESTS_CMOCKA_ALL_H_ */
