#include "tls_fixture.h"

#include <assert.h>
#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[64];

const char *tls_fixture_directory(void) {
  if (!*directory) {
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/osprey-tls-XXXXXX", base && strlen(base) < 40 ? base : "/tmp");
    if (!mkdtemp(directory))
      abort();
  }
  return directory;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
  assert(extension);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

static void set_names(X509 *certificate, X509 *issuer, const char *name) {
  X509_NAME *subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
}

static void save(const struct tls_identity *identity) {
  FILE *file = fopen(identity->certificate_file, "w");
  assert(file);
  PEM_write_X509(file, identity->certificate);
  fclose(file);
  file = fopen(identity->key_file, "w");
  assert(file);
  PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL);
  fclose(file);
}

void tls_fixture_issue(struct tls_identity *identity, const struct tls_request *request) {
  static long serial;
  identity->key = request->uniform ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") : EVP_EC_gen("P-256");
  X509 *certificate = identity->certificate = X509_new();
  X509 *issuer = request->issuer ? request->issuer->certificate : NULL;
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), request->from_days * 86400L);
  X509_gmtime_adj(X509_getm_notAfter(certificate), request->to_days * 86400L);
  X509_set_pubkey(certificate, identity->key);
  set_names(certificate, issuer, request->name);
  add_extension(certificate, issuer ? issuer : certificate, NID_basic_constraints,
                request->authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (request->alternatives)
    add_extension(certificate, issuer ? issuer : certificate, NID_subject_alt_name, request->alternatives);
  if (request->purpose)
    add_extension(certificate, issuer ? issuer : certificate, NID_ext_key_usage, request->purpose);
  EVP_PKEY *key = request->issuer ? request->issuer->key : identity->key;
  int signed_bytes = X509_sign(certificate, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256());
  assert(signed_bytes > 0);
  (void)signed_bytes;
  snprintf(identity->certificate_file, sizeof identity->certificate_file, "%s/%s.pem", tls_fixture_directory(),
           request->name);
  snprintf(identity->key_file, sizeof identity->key_file, "%s/%s.key", tls_fixture_directory(), request->name);
  save(identity);
}

void tls_fixture_free(struct tls_identity *identity) {
  X509_free(identity->certificate);
  EVP_PKEY_free(identity->key);
}

const char *tls_fixture_write(const char *name, const char *text) {
  static char path[128];
  snprintf(path, sizeof path, "%s/%s", tls_fixture_directory(), name);
  FILE *file = fopen(path, "w");
  assert(file);
  fputs(text, file);
  fclose(file);
  return path;
}

void tls_fixture_remove(void) {
  DIR *opened = *directory ? opendir(directory) : NULL;
  if (!opened)
    return;
  for (struct dirent *entry; (entry = readdir(opened));) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
    unlink(path);
  }
  closedir(opened);
  rmdir(directory);
}
