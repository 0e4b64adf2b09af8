/* Makes a throw-away CA with certificates in a temporary directory, for tests of TLS. */
#ifndef TEST_UNIT_TLS_FILES_H
#define TEST_UNIT_TLS_FILES_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct tls_files {
    char dir[64];
    char ca[128];
    char cert[128];
    char key[128];
    char client_cert[128];
    char client_key[128];
    EVP_PKEY *ca_key;
    X509 *ca_cert;
    long serial;
};

static inline void tls_files_write_key(const char *name, EVP_PKEY *key)
{
    FILE *f = fopen(name, "w");

    if (f == NULL || PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) != 1) {
        abort();
    }
    (void)fclose(f);
}

static inline void tls_files_write_cert(const char *name, X509 *cert)
{
    FILE *f = fopen(name, "w");

    if (f == NULL || PEM_write_X509(f, cert) != 1) {
        abort();
    }
    (void)fclose(f);
}

static inline void tls_files_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (ext == NULL || X509_add_ext(cert, ext, -1) != 1) {
        abort();
    }
    X509_EXTENSION_free(ext);
}

/* `san` NULL: a CA, signed by itself. */
static inline X509 *
tls_files_make(struct tls_files *t, EVP_PKEY *key, const char *common_name, const char *san)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    X509 *issuer = san != NULL ? t->ca_cert : cert;

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++t->serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1,
                               0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer));
    if (san != NULL) {
        tls_files_extension(cert, issuer, NID_subject_alt_name, san);
    } else {
        tls_files_extension(cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
    }
    if (X509_sign(cert, san != NULL ? t->ca_key : key, EVP_sha256()) == 0) {
        abort();
    }
    return cert;
}

/* Replaces the server's certificate and key by new ones for `common_name`. */
static inline void tls_files_renew_server(struct tls_files *t, const char *common_name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = tls_files_make(t, key, common_name, "DNS:localhost,IP:127.0.0.1");

    tls_files_write_key(t->key, key);
    tls_files_write_cert(t->cert, cert);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static inline void tls_files_init(struct tls_files *t)
{
    EVP_PKEY *key;
    X509 *cert;

    *t = (struct tls_files){.dir = "/tmp/keelson-tls-XXXXXX"};
    if (mkdtemp(t->dir) == NULL) {
        abort();
    }
    (void)snprintf(t->ca, sizeof t->ca, "%s/ca.pem", t->dir);
    (void)snprintf(t->cert, sizeof t->cert, "%s/server.pem", t->dir);
    (void)snprintf(t->key, sizeof t->key, "%s/server.key", t->dir);
    (void)snprintf(t->client_cert, sizeof t->client_cert, "%s/client.pem", t->dir);
    (void)snprintf(t->client_key, sizeof t->client_key, "%s/client.key", t->dir);
    t->ca_key = EVP_EC_gen("P-256");
    t->ca_cert = tls_files_make(t, t->ca_key, "test CA", NULL);
    tls_files_write_cert(t->ca, t->ca_cert);
    tls_files_renew_server(t, "server");
    key = EVP_EC_gen("P-256");
    cert = tls_files_make(t, key, "alice", "DNS:alice.example,IP:10.1.2.3");
    tls_files_write_key(t->client_key, key);
    tls_files_write_cert(t->client_cert, cert);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static inline void tls_files_fini(struct tls_files *t)
{
    X509_free(t->ca_cert);
    EVP_PKEY_free(t->ca_key);
    (void)unlink(t->ca);
    (void)unlink(t->cert);
    (void)unlink(t->key);
    (void)unlink(t->client_cert);
    (void)unlink(t->client_key);
    (void)rmdir(t->dir);
}

#endif
