#include "etag.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

int ws_etag_make(char etag[WS_ETAG_SIZE + 1], const char *type, const uint8_t *bytes, size_t n) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool made = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) &&
              EVP_DigestUpdate(context, type, strlen(type) + 1) && EVP_DigestUpdate(context, bytes, n) &&
              EVP_DigestFinal_ex(context, digest, NULL);
  EVP_MD_CTX_free(context);
  if (!made)
    return -1;
  etag[0] = '"';
  for (int i = 0; i < (WS_ETAG_SIZE - 2) / 2; i++)
    snprintf(etag + 1 + 2 * i, 3, "%02x", digest[i]);
  etag[WS_ETAG_SIZE - 1] = '"';
  etag[WS_ETAG_SIZE] = '\0';
  return 0;
}

/* The next entity-tag of a list, without its W/. Returns false at the end, or where the list is malformed. */
static bool ws_etag_next(struct ws_slice *list, struct ws_slice *tag) {
  while (list->size > 0 && (list->data[0] == ',' || ws_slice_is_blank(list->data[0])))
    *list = ws_slice_from(*list, 1);
  if (list->size >= 2 && memcmp(list->data, "W/", 2) == 0)
    *list = ws_slice_from(*list, 2);
  if (list->size == 0 || list->data[0] != '"')
    return false;
  size_t end = ws_slice_find(ws_slice_from(*list, 1), '"') + 2;
  if (end > list->size)
    return false;
  *tag = (struct ws_slice){list->data, end};
  *list = ws_slice_from(*list, end);
  return true;
}

bool ws_etag_is_known(const struct ws_http_head *head, const char *etag) {
  for (size_t i = 0; i < head->field_count; i++) {
    struct ws_slice list = ws_http_head_field_value(head, i);
    struct ws_slice tag;
    if (!ws_slice_equal_nocase(ws_http_head_field_name(head, i), WS_SLICE("If-None-Match")))
      continue;
    if (ws_slice_equal(list, WS_SLICE("*")))
      return true;
    while (ws_etag_next(&list, &tag))
      if (ws_slice_equal(tag, ws_slice_of(etag)))
        return true;
  }
  return false;
}
