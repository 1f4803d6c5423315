#include "retry_after.h"

#include <stdbool.h>
#include <string.h>

enum { DATE_SIZE = 29, HUGE_NUMBER = 1000000000 };

static bool ws_retry_after_is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* The number in n characters, cut to about HUGE_NUMBER, or -1 if they are not all digits. */
static int64_t ws_retry_after_number(const char *text, size_t n) {
  int64_t number = 0;
  for (size_t i = 0; i < n; i++) {
    if (!ws_retry_after_is_digit(text[i]))
      return -1;
    if (number < HUGE_NUMBER)
      number = number * 10 + (text[i] - '0');
  }
  return number;
}

/* 1 to 12, or 0. */
static int ws_retry_after_month(const char *name) {
  static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  for (int i = 0; i < 12; i++) {
    if (memcmp(name, names + (size_t)i * 3, 3) == 0)
      return i + 1;
  }
  return 0;
}

/* Days from 1970-01-01 in the Gregorian calendar. Years begin in March here, so that leap days are at their ends. */
static int64_t ws_retry_after_days(int64_t year, int64_t month, int64_t day) {
  int64_t shifted = month <= 2 ? year - 1 : year;
  int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + in_year - 719468;
}

/* IMF-fixdate = day-name ", " 2DIGIT SP month SP 4DIGIT SP 2DIGIT ":" 2DIGIT ":" 2DIGIT " GMT"
 * Seconds since 1970, or -1. */
static int64_t ws_retry_after_date(const char *text) {
  int64_t day = ws_retry_after_number(text + 5, 2);
  int month = ws_retry_after_month(text + 8);
  int64_t year = ws_retry_after_number(text + 12, 4);
  int64_t hour = ws_retry_after_number(text + 17, 2);
  int64_t minute = ws_retry_after_number(text + 20, 2);
  int64_t second = ws_retry_after_number(text + 23, 2);
  bool formed = memcmp(text + 3, ", ", 2) == 0 && text[7] == ' ' && text[11] == ' ' && text[16] == ' ' &&
                text[19] == ':' && text[22] == ':' && memcmp(text + 25, " GMT", 4) == 0;
  if (!formed || day < 1 || day > 31 || month == 0 || year < 1970 || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 60)
    return -1;
  return ((ws_retry_after_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

int64_t ws_retry_after(struct ws_slice value, int64_t now, int64_t most) {
  int64_t seconds = -1;
  if (value.size > 0 && ws_retry_after_is_digit(value.data[0]))
    seconds = ws_retry_after_number(value.data, value.size);
  else if (value.size == DATE_SIZE)
    seconds = ws_retry_after_date(value.data) - now;
  if (seconds < 0)
    return 0;
  return seconds < most ? seconds : most;
}
