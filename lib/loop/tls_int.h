/* Between tls.c and stream_tls.c. Includes OpenSSL. */
#ifndef LOOP_TLS_INT_H
#define LOOP_TLS_INT_H

#include <openssl/ssl.h>

#include "loop/tls.h"

/* A new session of the context, with files that have changed read again. NULL if out of memory. */
SSL *tls_context_session(struct tls_context *t);

const struct tls_options *tls_context_options(const struct tls_context *t);

/* The text of OpenSSL's oldest queued error, which is removed with all others. */
void tls_error_text(char *text, size_t size, const char *what);

#endif
