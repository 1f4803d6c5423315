#include "why.h"

#include "sys.h"

const char *ws_why_errno(int error) {
  const char *text = ws_sys_error_text(error);
  return text ? text : "Unknown error";
}
