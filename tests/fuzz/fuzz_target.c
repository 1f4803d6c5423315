/* Targets of requests: what a program reads is text of the host, no longer than the target, and every parameter is
 * found by its decoded name. WS-REQUESTPATH-2 WS-REQUESTQUERY-1 WS-REQUESTQUERY-2 */
#include "fuzz.h"

#include "protocol/target.h"
#include "protocol/text.h"
#include "protocol/url.h"

static void check_text(const char *text, size_t size) {
  char *string = calloc(1, size + 1);
  struct ws_text_extent extent;

  must(string != NULL);
  memcpy(string, text, size);
  must(strlen(string) == size && ws_text_measure(string, &extent) != WS_TEXT_INVALID);
  free(string);
}

/* Looks up the name that a part of the target stands for: read as the path of a target of its own. */
static void check_parameter(struct ws_slice target, struct ws_slice name) {
  char *to = malloc(target.size + 1), *wanted = malloc(name.size + 1);

  must(to && wanted);
  wanted[ws_target_path(wanted, name)] = '\0';
  long size = ws_target_parameter(to, target, wanted);
  must(size >= -1 && size <= (long)target.size);
  if (size >= 0)
    check_text(to, (size_t)size);
  must(size >= 0 || ws_slice_find(name, '+') < name.size);
  free(to);
  free(wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *bytes = (char *)copy_of(data, size), *path = malloc(size + 1);
  struct ws_slice target = {bytes, size}, parameter;

  must(path != NULL);
  if (ws_url_target_valid(target)) {
    size_t path_size = ws_target_path(path, target), start = ws_slice_find(target, '?');
    must(path_size <= start);
    check_text(path, path_size);
    struct ws_slice query = ws_slice_from(target, start < size ? start + 1 : size);
    if (ws_slice_next(&query, '&', &parameter) && parameter.size > 0) {
      parameter.size = ws_slice_find(parameter, '=');
      if (ws_slice_find(parameter, '?') == parameter.size)
        check_parameter(target, parameter);
    }
  }
  free(bytes);
  free(path);
  return 0;
}
