/* Text in and out: Go's quoted strings (etcdctl's formats are full of them), hexadecimal escapes,
 * and lines split like a shell does. */
#ifndef KVCTL_QUOTE_H
#define KVCTL_QUOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "kvstore/types.h"

/* Writes `bytes` as Go's %q does. */
void quote_put(FILE *out, struct kvs_view bytes);

/* The same as a string of its own (ctl_free). */
char *quote_new(struct kvs_view bytes);

/* Every byte as \xNN. */
void quote_put_hex(FILE *out, struct kvs_view bytes);

/* Reads the quoted string at *at into `to` (room for strlen(*at)), moves *at behind it. */
bool quote_read(const char **at, char *to, size_t *ret_len);

/* Splits `line` in place into words; quotes group, a backslash takes the next character. Returns
 * how many, at most `words_max`. */
int quote_split(char *line, char **words, int words_max);

#endif
