#pragma once
/*
 * Certificates for the tests, made by OpenSSL when they run: an authority, what it issues, and PEM files of it in a
 * directory of its own.
 */
#include <openssl/ssl.h>
#include <openssl/x509.h>

struct tls_identity {
  X509 *certificate;
  EVP_PKEY *key;
  char certificate_file[128];
  char key_file[128];
};

struct tls_request {
  const char *name;         /* common name, and of the files */
  const char *alternatives; /* subjectAltName: "DNS:…,IP:…", or NULL */
  int from_days;            /* validity, in days from now */
  int to_days;
  const struct tls_identity *issuer; /* NULL: self-signed */
  const char *purpose;               /* extendedKeyUsage, or NULL */
  int authority;                     /* may issue */
};

/* The directory, made by the first call. */
const char *tls_fixture_directory(void);
void tls_fixture_issue(struct tls_identity *identity, const struct tls_request *request);
void tls_fixture_free(struct tls_identity *identity);
/* Writes text to a file in the directory; returns its path in a static buffer. */
const char *tls_fixture_write(const char *name, const char *text);
/* Removes the directory. */
void tls_fixture_remove(void);
