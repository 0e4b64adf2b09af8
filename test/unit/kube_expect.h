/* Collected text against what it should be. */
#ifndef UNIT_KUBE_EXPECT_H
#define UNIT_KUBE_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/view.h"

/* Compares, and empties the buffer. */
static inline void assert_text(struct buf *b, const char *expected)
{
    buf_append_u8(b, '\0');
    assert_false(b->failed);
    assert_string_equal((const char *)b->data, expected);
    buf_clear(b);
}

#endif
