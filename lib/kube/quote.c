#include "kube/quote.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "base/assert.h"
#include "base/view.h"

/* Of the characters that libc prints, Go does not print the blanks and the format characters. */
static const struct quote_range {
    wchar_t first;
    wchar_t last;
} quote_not_printed[] = {
    {0xa0, 0xa0},     {0xad, 0xad},     {0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200f},
    {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
};

static bool quote_prints(wchar_t c)
{
    for (size_t i = 0; i < ARRAY_LEN(quote_not_printed); i++) {
        if (c >= quote_not_printed[i].first && c <= quote_not_printed[i].last) {
            return false;
        }
    }
    return iswprint((wint_t)c) != 0;
}

static void quote_ascii(struct buf *out, unsigned char c)
{
    static const char named[] = "\a\b\f\n\r\t\v\"\\";
    static const char letters[] = "abfnrtv\"\\";
    const char *at = c != 0 ? strchr(named, c) : NULL;

    if (at != NULL) {
        buf_append_u8(out, '\\');
        buf_append_u8(out, (uint8_t)letters[at - named]);
    } else if (c < 0x20 || c >= 0x7f) {
        buf_printf(out, "\\x%02x", c);
    } else {
        buf_append_u8(out, c);
    }
}

/* One character that is not ASCII, under a UTF-8 locale; returns its length. */
static size_t quote_wide(struct buf *out, const char *at, size_t len)
{
    mbstate_t state = {0};
    wchar_t c = 0;
    size_t n = mbrtowc(&c, at, len, &state);

    if (n == 0 || n > len) {
        quote_ascii(out, (unsigned char)*at); /* Not UTF-8: this byte alone. */
        return 1;
    }
    if (quote_prints(c)) {
        buf_append(out, at, n);
    } else {
        buf_printf(out, c < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)c);
    }
    return n;
}

static void quote_all(struct buf *out, struct kvs_view text)
{
    const char *at = text.data;
    size_t left = text.len;

    while (left > 0) {
        size_t n = 1;

        if ((unsigned char)*at < 0x80) {
            quote_ascii(out, (unsigned char)*at);
        } else {
            n = quote_wide(out, at, left);
        }
        at += n;
        left -= n;
    }
}

static bool quote_is_ascii(struct kvs_view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (((const unsigned char *)text.data)[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

void kube_quote(struct buf *out, struct kvs_view text)
{
    kvs_assert(out != NULL);
    buf_append_u8(out, '"');
    if (quote_is_ascii(text)) {
        quote_all(out, text);
    } else {
        /* libc decodes UTF-8 by the thread's locale. Rare enough to be made for each text. */
        locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
        locale_t before = utf8 != (locale_t)0 ? uselocale(utf8) : (locale_t)0;

        quote_all(out, text);
        if (utf8 != (locale_t)0) {
            (void)uselocale(before); /* Cannot fail: it was in use. */
            freelocale(utf8);
        }
    }
    buf_append_u8(out, '"');
}

void kube_quote_strings(struct buf *out, const struct kvs_view *texts, size_t count)
{
    buf_append_str(out, count > 0 ? "[]string{" : "[]string(nil)");
    for (size_t i = 0; i < count; i++) {
        buf_append_str(out, i > 0 ? ", " : "");
        kube_quote(out, texts[i]);
    }
    buf_append_str(out, count > 0 ? "}" : "");
}
