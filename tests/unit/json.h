/*
 * json.h - is a text JSON? For tests of what others will parse: strict, by RFC 8259.
 */
#ifndef TESTS_UNIT_JSON_H
#define TESTS_UNIT_JSON_H

#include <stdbool.h>

/* One value and nothing behind it but white space. What is not UTF-8 is no JSON. */
bool json_is_valid(const char *text);

#endif
