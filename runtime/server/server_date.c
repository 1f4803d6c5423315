#include "server_date.h"

#include <string.h>
#include <time.h>

const char *ws_server_date(char to[static WS_SERVER_DATE]) {
  static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  struct tm utc;
  time_t now = time(NULL);
  gmtime_r(&now, &utc);
  strftime(to, WS_SERVER_DATE, "xxx, %d xxx %Y %H:%M:%S GMT", &utc);
  memcpy(to, days[utc.tm_wday], 3);
  memcpy(to + 8, months[utc.tm_mon], 3);
  return to;
}
