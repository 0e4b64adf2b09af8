#include "quote.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

static const char escaped[] = "\a\b\f\n\r\t\v\\\"";
static const char escapes[] = "abfnrtv\\\"";

/* Length of the UTF-8 character at `at`, 0 if it is none. */
static size_t utf8_len(const uint8_t *at, size_t left)
{
    size_t len = *at >= 0xf0 && *at < 0xf5 ? 4 : *at >= 0xe0 ? 3 : *at >= 0xc2 ? 2 : 0;

    if (*at >= 0xf5 || len == 0 || len > left) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

void quote_put(FILE *out, struct kvs_view bytes)
{
    const uint8_t *at = bytes.data;

    (void)fputc('"', out);
    for (size_t i = 0; i < bytes.len; i++) {
        const char *special = at[i] != 0 ? strchr(escaped, at[i]) : NULL;
        size_t len = at[i] >= 0x80 ? utf8_len(at + i, bytes.len - i) : 0;

        if (special != NULL) {
            (void)fprintf(out, "\\%c", escapes[special - escaped]);
        } else if (len > 0) {
            (void)fwrite(at + i, 1, len, out);
            i += len - 1;
        } else if (at[i] >= 0x20 && at[i] < 0x7f) {
            (void)fputc(at[i], out);
        } else {
            (void)fprintf(out, "\\x%02x", at[i]);
        }
    }
    (void)fputc('"', out);
}

char *quote_new(struct kvs_view bytes)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    char *copy;

    if (out == NULL) {
        return ctl_strdup("\"\"");
    }
    quote_put(out, bytes);
    (void)fclose(out);
    copy = ctl_strdup(text);
    free(text);
    return copy;
}

void quote_put_hex(FILE *out, struct kvs_view bytes)
{
    const uint8_t *at = bytes.data;

    for (size_t i = 0; i < bytes.len; i++) {
        (void)fprintf(out, "\\x%02x", at[i]);
    }
}

static bool read_escape(const char **at, char *to)
{
    const char *found = strchr(escapes, **at);

    if (**at == 'x' && isxdigit((unsigned char)(*at)[1]) && isxdigit((unsigned char)(*at)[2])) {
        char digits[3] = {(*at)[1], (*at)[2], '\0'};

        *to = (char)strtoul(digits, NULL, 16);
        *at += 3;
        return true;
    }
    if (**at == '\0' || found == NULL) {
        return false;
    }
    *to = escaped[found - escapes];
    (*at)++;
    return true;
}

bool quote_read(const char **at, char *to, size_t *ret_len)
{
    const char *from = *at;
    size_t len = 0;

    if (*from++ != '"') {
        return false;
    }
    while (*from != '"') {
        if (*from == '\0') {
            return false;
        }
        if (*from == '\\') {
            from++;
            if (!read_escape(&from, &to[len++])) {
                return false;
            }
        } else {
            to[len++] = *from++;
        }
    }
    *at = from + 1;
    *ret_len = len;
    return true;
}

int quote_split(char *line, char **words, int words_max)
{
    char *from = line;
    int n = 0;

    while (n < words_max) {
        char *to;
        char quote = '\0';

        while (isspace((unsigned char)*from)) {
            from++;
        }
        if (*from == '\0') {
            break;
        }
        words[n++] = to = from;
        for (; *from != '\0' && (quote != '\0' || !isspace((unsigned char)*from)); from++) {
            if (*from == '\\' && quote != '\'' && from[1] != '\0') {
                *to++ = *++from;
            } else if (quote == '\0' && (*from == '"' || *from == '\'')) {
                quote = *from;
            } else if (*from == quote && quote != '\0') {
                quote = '\0';
            } else {
                *to++ = *from;
            }
        }
        if (*from != '\0') {
            from++;
        }
        *to = '\0';
    }
    return n;
}
