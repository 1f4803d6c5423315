#include "why.h"

#include <string.h>

const char *ws_why_errno(int error) {
  const char *text = strerrordesc_np(error);
  return text ? text : "Unknown error";
}
