#include "osprey_rt_library.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int getentropy(void *bytes, size_t size); /* of POSIX.1-2024: older headers have it elsewhere, or not for POSIX */

static const char number_digits[] = "0123456789";

int64_t osp_rt_parse_int(const char *s, const char **error) {
  const char *digits = s + (*s == '-' || *s == '+');
  size_t count = strspn(digits, number_digits);
  errno = 0;
  int64_t value = strtoll(s, NULL, 10);
  bool valid = count > 0 && digits[count] == '\0' && errno == 0;
  *error = valid ? NULL : "parseInt: invalid integer";
  return valid ? value : 0;
}

/* number = [ sign ] ( digits [ "." [ digits ] ] | "." digits ) [ ( "e" | "E" ) [ sign ] digits ]
 * strtod reads more. */
static bool number_is_decimal(const char *s) {
  s += *s == '-' || *s == '+';
  size_t digits = strspn(s, number_digits);
  s += digits;
  if (*s == '.') {
    size_t fraction = strspn(++s, number_digits);
    digits += fraction;
    s += fraction;
  }
  if (digits > 0 && (*s == 'e' || *s == 'E')) {
    s += s[1] == '-' || s[1] == '+' ? 2 : 1;
    digits = strspn(s, number_digits);
    s += digits;
  }
  return digits > 0 && *s == '\0';
}

double osp_rt_parse_float(const char *s, const char **error) {
  double value = number_is_decimal(s) ? strtod(s, NULL) : NAN;
  *error = isfinite(value) ? NULL : "parseFloat: invalid number";
  return isfinite(value) ? value : 0;
}

int64_t osp_rt_abs(int64_t n, const char **error) {
  *error = n == INT64_MIN ? "integer overflow" : NULL;
  return *error ? 0 : n < 0 ? -n : n;
}

int64_t osp_rt_int_div(int64_t a, int64_t b, const char **error) {
  *error = b == 0 ? "division by zero" : a == INT64_MIN && b == -1 ? "integer overflow" : NULL;
  return *error ? 0 : a / b;
}

double osp_rt_to_float(int64_t n) {
  return (double)n;
}

/* Few bytes come at once and without a failure, once the system's source is ready. */
static uint64_t number_random(void) {
  uint64_t value;
  while (getentropy(&value, sizeof value))
    continue;
  return value;
}

int64_t osp_rt_random(void) {
  return (int64_t)(number_random() >> 1);
}

/* Draws again above the last multiple of n, so that no remainder is more probable than another. */
int64_t osp_rt_random_below(int64_t n, const char **error) {
  *error = n > 0 ? NULL : "randomBelow: the bound must be positive";
  if (n <= 0)
    return 0;
  uint64_t bound = (uint64_t)n, excess = (UINT64_MAX % bound + 1) % bound, value;
  do
    value = number_random();
  while (value > UINT64_MAX - excess);
  return (int64_t)(value % bound);
}
