#pragma once
/* Certificates that the tests issue when they run, with PEM files in a temporary directory. Not thread-safe. */
#include <openssl/ssl.h>
#include <openssl/x509.h>

struct tls_identity {
  X509 *certificate;
  EVP_PKEY *key;
  char certificate_file[128];
  char key_file[128];
};

struct tls_request {
  const char *name;         /* the common name, and the name of the files */
  const char *alternatives; /* subjectAltName: "DNS:…,IP:…", or NULL */
  int from_days;            /* validity, in days from now */
  int to_days;
  const struct tls_identity *issuer; /* NULL: self-signed */
  const char *purpose;               /* extendedKeyUsage, or NULL */
  int authority;                     /* nonzero: may issue certificates */
  int uniform;                       /* nonzero: an Ed25519 key, whose signatures all have one size */
};

/* Returns the directory, which the first call creates. */
const char *tls_fixture_directory(void);
void tls_fixture_issue(struct tls_identity *identity, const struct tls_request *request);
void tls_fixture_free(struct tls_identity *identity);
/* Writes text to a file in the directory. Returns its path, in a static buffer. */
const char *tls_fixture_write(const char *name, const char *text);
/* Removes the directory and its files. */
void tls_fixture_remove(void);
