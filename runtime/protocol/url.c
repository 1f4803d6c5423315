#include "url.h"

static const char *const ws_url_problem_texts[WS_URL_PROBLEM_COUNT] = {[WS_URL_OK] = "none",
#define WS_URL_PROBLEM(name, text) [WS_URL_##name] = text,
                                                                       WS_URL_PROBLEMS(WS_URL_PROBLEM)
#undef WS_URL_PROBLEM
};

/*@ requires problem < WS_URL_PROBLEM_COUNT;
    assigns \nothing;
*/
const char *ws_url_problem_text(enum ws_url_problem problem) {
  return ws_url_problem_texts[problem];
}

/*@ assigns \nothing;
    ensures \result <==> '0' <= c <= '9';
*/
static bool ws_url_is_digit(char c) {
  return c >= '0' && c <= '9';
}

/*@ assigns \nothing; */
static bool ws_url_is_hex(char c) {
  return ws_url_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/*@ assigns \nothing; */
static bool ws_url_is_name_char(char c) {
  return ws_url_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

/* IPv4 = number "." number "." number "." number ; 0-255, without leading zeros */
/*@ requires slice_readable(s);
    assigns \nothing;
*/
static bool ws_url_is_ipv4(struct ws_slice s) {
  struct ws_slice number;
  size_t count = 0;
  /*@ loop invariant count <= 4 && slice_readable(s);
      loop assigns s, number, count;
      loop variant 4 - count;
  */
  while (ws_slice_next(&s, '.', &number)) {
    unsigned value = 0;
    if (++count > 4 || number.size < 1 || number.size > 3 || (number.size > 1 && number.data[0] == '0'))
      return false;
    /*@ loop invariant i <= number.size && value <= (i == 0 ? 0 : i == 1 ? 9 : i == 2 ? 99 : 999);
        loop assigns i, value;
        loop variant number.size - i;
    */
    for (size_t i = 0; i < number.size; i++) {
      if (!ws_url_is_digit(number.data[i]))
        return false;
      value = value * 10 + (unsigned)(number.data[i] - '0');
    }
    if (value > 255)
      return false;
  }
  return count == 4;
}

/* name = label *( "." label ) [ "." ] ; labels of 1 to 63 bytes, 253 bytes in all. The last label must not be a
 * number, also in hexadecimal: some resolvers would parse the name as an address. */
/*@ requires slice_readable(s);
    assigns \nothing;
*/
static bool ws_url_is_name(struct ws_slice s) {
  size_t label = 0;
  bool number = true;
  if (s.size > 1 && s.data[s.size - 1] == '.')
    s.size--;
  if (s.size > 253)
    return false;
  /*@ loop invariant label <= i <= s.size;
      loop assigns i, label, number;
      loop variant s.size - i;
  */
  for (size_t i = 0; i < s.size; i++) {
    char c = s.data[i];
    if (c == '.') {
      if (i == label)
        return false;
      label = i + 1;
      number = true;
    } else if (!ws_url_is_name_char(c) || i - label >= 63) {
      return false;
    } else if (!ws_url_is_digit(c)) {
      number = false;
    }
  }
  if (s.size - label >= 2 && s.data[label] == '0' && (s.data[label + 1] == 'x' || s.data[label + 1] == 'X'))
    return false;
  return s.size > label && !number;
}

/* Returns the number of hexadecimal digits at `at`, at most four. */
/*@ requires slice_readable(s) && at <= s.size;
    assigns \nothing;
    ensures \result <= 4 && at + \result <= s.size;
*/
static size_t ws_url_hex_group(struct ws_slice s, size_t at) {
  size_t n = 0;
  /*@ loop invariant n <= 4 && at + n <= s.size;
      loop assigns n;
      loop variant 4 - n;
  */
  while (n < 4 && at + n < s.size && ws_url_is_hex(s.data[at + n]))
    n++;
  return n;
}

/* IPv6 = eight groups separated by ":" ; "::" replaces one run of groups, an IPv4 address may replace the last two */
/*@ requires slice_readable(s);
    assigns \nothing;
*/
static bool ws_url_is_ipv6(struct ws_slice s) {
  size_t at = 0, groups = 0;
  bool gap = false;
  if (s.size >= 2 && s.data[0] == ':' && s.data[1] == ':') {
    gap = true;
    at = 2;
  }
  /*@ loop invariant at <= s.size && groups <= 8;
      loop assigns at, groups, gap;
      loop variant s.size - at;
  */
  while (at < s.size && groups < 8) {
    size_t n = ws_url_hex_group(s, at);
    if (n > 0 && at + n < s.size && s.data[at + n] == '.') {
      groups += 2;
      return ws_url_is_ipv4(ws_slice_from(s, at)) && (gap ? groups < 8 : groups == 8);
    }
    if (n == 0)
      return false;
    groups++;
    at += n;
    if (at == s.size)
      break;
    if (s.data[at] != ':' || at + 1 == s.size)
      return false;
    at++;
    if (s.data[at] == ':') {
      if (gap)
        return false;
      gap = true;
      at++;
    }
  }
  return at == s.size && (gap ? groups < 8 : groups == 8);
}

/* port = *DIGIT ; empty, or 1 to 65535 */
/*@ requires slice_readable(s) && \valid(port) && \separated(port, s.data + (0 .. s.size - 1));
    assigns *port;
*/
static bool ws_url_port(struct ws_slice s, uint16_t *port) {
  uint32_t value = 0;
  /*@ loop invariant i <= s.size && value <= 65535;
      loop assigns i, value;
      loop variant s.size - i;
  */
  for (size_t i = 0; i < s.size; i++) {
    if (!ws_url_is_digit(s.data[i]))
      return false;
    value = value * 10 + (uint32_t)(s.data[i] - '0');
    if (value > 65535)
      return false;
  }
  *port = (uint16_t)value;
  return s.size == 0 || value > 0;
}

/* "[" IPv6 "]" ; returns its size with the brackets, or 0 */
/*@ requires slice_readable(text) && text.size > 0 && \valid(authority);
    requires \separated(authority, text.data + (0 .. text.size - 1));
    assigns *authority;
    ensures \result <= text.size && slice_within(authority->host, text) && slice_readable(authority->host);
*/
static size_t ws_url_authority_bracketed(struct ws_authority *authority, struct ws_slice text) {
  struct ws_slice inside = ws_slice_from(text, 1);
  size_t end = ws_slice_find(inside, ']');
  authority->kind = WS_HOST_IPV6;
  authority->host = (struct ws_slice){inside.data, end};
  return end < inside.size && ws_url_is_ipv6(authority->host) ? end + 2 : 0;
}

/*@ requires slice_readable(text) && \valid(authority) && \separated(authority, text.data + (0 .. text.size - 1));
    assigns *authority;
    ensures \result <= text.size && slice_within(authority->host, text) && slice_readable(authority->host);
*/
static size_t ws_url_authority_plain(struct ws_authority *authority, struct ws_slice text) {
  authority->host = (struct ws_slice){text.data, ws_slice_find(text, ':')};
  authority->kind = ws_url_is_ipv4(authority->host) ? WS_HOST_IPV4 : WS_HOST_NAME;
  if (authority->kind == WS_HOST_NAME && !ws_url_is_name(authority->host))
    return 0;
  return authority->host.size;
}

enum ws_url_problem ws_url_authority_parse(struct ws_authority *authority, struct ws_slice text) {
  size_t host;
  if (text.size == 0 || text.data[0] == ':')
    return WS_URL_HOST_EMPTY;
  if (text.data[0] == '[')
    host = ws_url_authority_bracketed(authority, text);
  else
    host = ws_url_authority_plain(authority, text);
  if (host == 0 && text.data[0] == '[' && ws_slice_find(authority->host, '%') < authority->host.size)
    return WS_URL_ZONE;
  if (host == 0 || (host < text.size && text.data[host] != ':'))
    return WS_URL_HOST;
  authority->port = 0;
  if (host < text.size && !ws_url_port(ws_slice_from(text, host + 1), &authority->port))
    return WS_URL_PORT;
  return WS_URL_OK;
}

/*@ requires slice_readable(s);
    assigns \nothing;
*/
static bool ws_url_is_visible(struct ws_slice s) {
  /*@ loop invariant i <= s.size;
      loop assigns i;
      loop variant s.size - i;
  */
  for (size_t i = 0; i < s.size; i++)
    if (s.data[i] < 0x21 || s.data[i] > 0x7E)
      return false;
  return true;
}

bool ws_url_target_valid(struct ws_slice target) {
  return ws_url_is_visible(target) && ws_slice_find(target, '#') == target.size;
}

enum ws_url_problem ws_url_parse(struct ws_url *url, const char *text, size_t n) {
  struct ws_slice rest = {text, n}, authority;
  enum ws_url_problem problem;
  size_t end, query;
  if (n > WS_URL_MAX)
    return WS_URL_TOO_LONG;
  if (!ws_url_is_visible(rest))
    return WS_URL_CHARACTER;
  url->secure = ws_slice_skip_prefix(&rest, WS_SLICE("wss://"));
  if (!url->secure && !ws_slice_skip_prefix(&rest, WS_SLICE("ws://")))
    return WS_URL_SCHEME;
  if (ws_slice_find(rest, '#') < rest.size)
    return WS_URL_FRAGMENT;

  query = ws_slice_find(rest, '?');
  end = ws_slice_find((struct ws_slice){rest.data, query}, '/');
  authority = (struct ws_slice){rest.data, end};
  if (ws_slice_find(authority, '@') < authority.size)
    return WS_URL_USER;
  problem = ws_url_authority_parse(&url->authority, authority);
  if (problem != WS_URL_OK)
    return problem;
  if (url->authority.port == 0)
    url->authority.port = ws_url_default_port(url->secure);
  url->path = (struct ws_slice){rest.data + end, query - end};
  url->query = ws_slice_from(rest, query);
  return WS_URL_OK;
}

bool ws_url_host_is_loopback(const struct ws_authority *authority) {
  struct ws_slice host = authority->host, name = WS_SLICE("localhost");
  switch (authority->kind) {
  case WS_HOST_IPV4:
    return ws_slice_skip_prefix(&host, WS_SLICE("127."));
  case WS_HOST_IPV6:
    return ws_slice_equal(host, WS_SLICE("::1")) || ws_slice_equal(host, WS_SLICE("0:0:0:0:0:0:0:1"));
  case WS_HOST_NAME:
    break;
  }
  if (host.size > 1 && host.data[host.size - 1] == '.')
    host.size--;
  if (host.size > name.size && host.data[host.size - name.size - 1] == '.')
    host = ws_slice_from(host, host.size - name.size);
  return ws_slice_equal_nocase(host, name);
}
