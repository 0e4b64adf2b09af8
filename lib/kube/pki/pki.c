#include "kube/pki/pki.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/buf.h"

enum {
    CA_DAYS = 3650,
    SERIAL_BYTES = 16,
    PATH_LEN_MAX = 1024,
    RSA_BITS = 2048,
    FILE_BYTES_MAX = 1 << 20,
    BACKDATED_S = 3600, /* clocks of a cluster differ a little */
};

static int KVS_PRINTF(3, 4) pki_error(struct kvs_error *error, int code, const char *format, ...)
{
    va_list args;

    if (error != NULL) {
        error->code = code;
        va_start(args, format);
        (void)vsnprintf(error->msg, sizeof error->msg, format, args);
        va_end(args);
    }
    return code;
}

static bool pki_exists(const char *file)
{
    return access(file, R_OK) == 0;
}

/* --- files ------------------------------------------------------------------------------------ */

static int pki_write_all(int fd, const void *data, size_t len)
{
    const char *from = data;

    while (len > 0) {
        ssize_t n = write(fd, from, len);

        if (n < 0 && errno != EINTR) {
            return -1;
        }
        if (n > 0) {
            from += n;
            len -= (size_t)n;
        }
    }
    return fsync(fd);
}

/* Under another name first: a crash leaves the file whole or absent. */
static int
pki_write_file(const char *file, mode_t mode, const struct buf *text, struct kvs_error *error)
{
    char temporary[PATH_LEN_MAX];
    int fd;

    if (text->failed) {
        return pki_error(error, KVS_E_NOMEM, "out of memory");
    }
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", file) >= sizeof temporary) {
        return pki_error(error, KVS_E_INVALID, "%s: name too long", file);
    }
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0 || fchmod(fd, mode) != 0 || pki_write_all(fd, text->data, text->len) != 0) {
        int reason = errno;

        if (fd >= 0) {
            (void)close(fd);
            (void)unlink(temporary);
        }
        return pki_error(error, KVS_E_IO, "%s: %s", file, strerror(reason));
    }
    (void)close(fd); /* synced */
    if (rename(temporary, file) != 0) {
        return pki_error(error, KVS_E_IO, "%s: %s", file, strerror(errno));
    }
    return 0;
}

static int pki_write_bio(const char *file, mode_t mode, BIO *bio, struct kvs_error *error)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    struct buf text;
    int err;

    buf_init(&text);
    buf_append(&text, data, (size_t)len);
    err = pki_write_file(file, mode, &text, error);
    buf_fini(&text);
    return err;
}

static int pki_write_key(const char *file, EVP_PKEY *key, struct kvs_error *error)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int err;

    if (bio == NULL || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
        err = pki_error(error, KVS_E_TLS, "%s: cannot encode the key", file);
    } else {
        err = pki_write_bio(file, 0600, bio, error);
    }
    BIO_free(bio);
    return err;
}

static int pki_write_cert(const char *file, X509 *cert, struct kvs_error *error)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int err;

    if (bio == NULL || PEM_write_bio_X509(bio, cert) != 1) {
        err = pki_error(error, KVS_E_TLS, "%s: cannot encode the certificate", file);
    } else {
        err = pki_write_bio(file, 0644, bio, error);
    }
    BIO_free(bio);
    return err;
}

static X509 *pki_read_cert(const char *file)
{
    FILE *f = fopen(file, "re");
    X509 *cert = f == NULL ? NULL : PEM_read_X509(f, NULL, NULL, NULL);

    if (f != NULL) {
        (void)fclose(f);
    }
    return cert;
}

static EVP_PKEY *pki_read_key(const char *file)
{
    FILE *f = fopen(file, "re");
    EVP_PKEY *key = f == NULL ? NULL : PEM_read_PrivateKey(f, NULL, NULL, NULL);

    if (f != NULL) {
        (void)fclose(f);
    }
    return key;
}

/* --- certificates ----------------------------------------------------------------------------- */

static bool pki_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;
    bool ok;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool pki_set_serial(X509 *cert)
{
    unsigned char bytes[SERIAL_BYTES];
    BIGNUM *number;
    bool ok;

    if (RAND_bytes(bytes, sizeof bytes) != 1) {
        return false;
    }
    bytes[0] &= 0x7f; /* positive */
    number = BN_bin2bn(bytes, sizeof bytes, NULL);
    ok = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    return ok;
}

static bool pki_name_add(X509_NAME *name, const char *field, const char *text)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text, -1,
                                      -1, 0) == 1;
}

/* Without extensions and signature. NULL on failure. */
static X509 *
pki_new(EVP_PKEY *key, const char *common_name, const char *organization, unsigned days)
{
    X509 *cert = X509_new();

    if (cert == NULL || X509_set_version(cert, X509_VERSION_3) != 1 || !pki_set_serial(cert) ||
        X509_gmtime_adj(X509_getm_notBefore(cert), -BACKDATED_S) == NULL ||
        X509_time_adj_ex(X509_getm_notAfter(cert), (int)days, 0, NULL) == NULL ||
        X509_set_pubkey(cert, key) != 1 ||
        (organization != NULL && !pki_name_add(X509_get_subject_name(cert), "O", organization)) ||
        !pki_name_add(X509_get_subject_name(cert), "CN", common_name)) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

static bool pki_sign(X509 *cert, X509 *issuer, EVP_PKEY *issuer_key)
{
    return X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 &&
           X509_sign(cert, issuer_key, EVP_sha256()) > 0;
}

static X509 *pki_new_ca(EVP_PKEY *key, const char *common_name)
{
    X509 *cert = pki_new(key, common_name, NULL, CA_DAYS);

    if (cert == NULL || !pki_extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE") ||
        !pki_extend(cert, cert, NID_key_usage,
                    "critical,digitalSignature,keyEncipherment,keyCertSign") ||
        !pki_extend(cert, cert, NID_subject_key_identifier, "hash") || !pki_sign(cert, cert, key)) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

int kube_pki_ensure_ca(const char *cert_file,
                       const char *key_file,
                       const char *common_name,
                       struct kvs_error *error)
{
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    int err = 0;

    if (pki_exists(cert_file) && pki_exists(key_file)) {
        return 0;
    }
    key = EVP_EC_gen("P-256");
    cert = key == NULL ? NULL : pki_new_ca(key, common_name);
    if (cert == NULL) {
        err = pki_error(error, KVS_E_TLS, "%s: cannot make the CA", cert_file);
    }
    if (err == 0) {
        err = pki_write_key(key_file, key, error);
    }
    if (err == 0) {
        err = pki_write_cert(cert_file, cert, error);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    return err;
}

/* "DNS:localhost,IP:127.0.0.1": by what a name looks like. */
static void pki_write_names(const struct kube_pki_subject *subject, struct buf *to)
{
    for (size_t i = 0; i < subject->n_names; i++) {
        ASN1_OCTET_STRING *address = a2i_IPADDRESS(subject->names[i]);

        buf_printf(to, "%s%s:%s", i == 0 ? "" : ",", address == NULL ? "DNS" : "IP",
                   subject->names[i]);
        ASN1_OCTET_STRING_free(address);
    }
    buf_append_u8(to, 0);
}

static bool pki_extend_subject(X509 *cert, X509 *ca, const struct kube_pki_subject *subject)
{
    const char *usage = subject->server && subject->client ? "serverAuth,clientAuth"
                        : subject->server                  ? "serverAuth"
                                                           : "clientAuth";
    struct buf names;
    bool ok;

    buf_init(&names);
    pki_write_names(subject, &names);
    ok = !names.failed && pki_extend(cert, ca, NID_basic_constraints, "critical,CA:FALSE") &&
         pki_extend(cert, ca, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
         pki_extend(cert, ca, NID_ext_key_usage, usage) &&
         pki_extend(cert, ca, NID_authority_key_identifier, "keyid") &&
         (subject->n_names == 0 ||
          pki_extend(cert, ca, NID_subject_alt_name, (const char *)names.data));
    buf_fini(&names);
    return ok;
}

int kube_pki_ensure(const char *ca_cert_file,
                    const char *ca_key_file,
                    const char *cert_file,
                    const char *key_file,
                    const struct kube_pki_subject *subject,
                    struct kvs_error *error)
{
    X509 *ca;
    EVP_PKEY *ca_key;
    EVP_PKEY *key;
    X509 *cert;
    int err = 0;

    if (pki_exists(cert_file) && pki_exists(key_file)) {
        return 0;
    }
    ca = pki_read_cert(ca_cert_file);
    ca_key = pki_read_key(ca_key_file);
    key = EVP_EC_gen("P-256");
    cert = key == NULL ? NULL
                       : pki_new(key, subject->common_name, subject->organization, subject->days);
    if (ca == NULL || ca_key == NULL) {
        err = pki_error(error, KVS_E_TLS, "%s: cannot read the CA", ca_cert_file);
    } else if (cert == NULL || !pki_extend_subject(cert, ca, subject) ||
               !pki_sign(cert, ca, ca_key)) {
        err = pki_error(error, KVS_E_TLS, "%s: cannot make the certificate", cert_file);
    }
    if (err == 0) {
        err = pki_write_key(key_file, key, error);
    }
    if (err == 0) {
        err = pki_write_cert(cert_file, cert, error);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    X509_free(ca);
    return err;
}

int kube_pki_ensure_key(const char *private_file, const char *public_file, struct kvs_error *error)
{
    EVP_PKEY *key;
    BIO *bio;
    int err;

    if (pki_exists(private_file) && pki_exists(public_file)) {
        return 0;
    }
    key = EVP_RSA_gen(RSA_BITS);
    bio = BIO_new(BIO_s_mem());
    if (key == NULL || bio == NULL || PEM_write_bio_PUBKEY(bio, key) != 1) {
        err = pki_error(error, KVS_E_TLS, "%s: cannot make the key", private_file);
    } else {
        err = pki_write_key(private_file, key, error);
        if (err == 0) {
            err = pki_write_bio(public_file, 0644, bio, error);
        }
    }
    BIO_free(bio);
    EVP_PKEY_free(key);
    return err;
}

/* --- kubeconfig ------------------------------------------------------------------------------- */

/* Appends a file in base64. */
static int pki_append_file(struct buf *to, const char *file, struct kvs_error *error)
{
    FILE *f = fopen(file, "re");
    struct buf text;
    uint8_t *room;
    size_t n;

    if (f == NULL) {
        return pki_error(error, KVS_E_IO, "%s: %s", file, strerror(errno));
    }
    buf_init(&text);
    room = buf_reserve(&text, FILE_BYTES_MAX);
    n = room == NULL ? 0 : fread(room, 1, FILE_BYTES_MAX, f);
    (void)fclose(f);
    room = n == 0 ? NULL : buf_reserve(to, (n + 2) / 3 * 4 + 1);
    if (room != NULL) {
        to->len += (size_t)EVP_EncodeBlock(room, text.data, (int)n);
    }
    buf_fini(&text);
    return room == NULL ? pki_error(error, KVS_E_IO, "%s: cannot be read", file) : 0;
}

int kube_pki_write_kubeconfig(const char *file,
                              const char *server_url,
                              const char *ca_cert_file,
                              const char *cert_file,
                              const char *key_file,
                              const char *user,
                              struct kvs_error *error)
{
    struct buf text;
    int err;

    buf_init(&text);
    buf_printf(&text,
               "apiVersion: v1\nkind: Config\ncurrent-context: keelson\n"
               "contexts:\n- name: keelson\n  context:\n    cluster: keelson\n    user: %s\n"
               "clusters:\n- name: keelson\n  cluster:\n    server: %s\n"
               "    certificate-authority-data: ",
               user, server_url);
    err = pki_append_file(&text, ca_cert_file, error);
    if (err == 0) {
        buf_printf(&text, "\nusers:\n- name: %s\n  user:\n    client-certificate-data: ", user);
        err = pki_append_file(&text, cert_file, error);
    }
    if (err == 0) {
        buf_append_str(&text, "\n    client-key-data: ");
        err = pki_append_file(&text, key_file, error);
    }
    if (err == 0) {
        buf_append_str(&text, "\n");
        err = pki_write_file(file, 0600, &text, error);
    }
    buf_fini(&text);
    return err;
}
