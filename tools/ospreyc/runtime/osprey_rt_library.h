#pragma once
/* The C functions of the language's own functions: spec/functions.def says what each does.
 *
 * A string is borrowed as a parameter, and owned as a result, which may be the parameter itself, retained. A function
 * with `error` sets it to NULL on success. On failure it sets it to a message, which the caller owns too, and returns 0
 * or NULL. Lengths and indices count bytes. Thread-safe.
 */
#include <stdbool.h>
#include <stdint.h>

int64_t osp_rt_length(const char *s);
bool osp_rt_is_empty(const char *s);
bool osp_rt_contains(const char *s, const char *needle);
bool osp_rt_starts_with(const char *s, const char *prefix);
bool osp_rt_ends_with(const char *s, const char *suffix);
int64_t osp_rt_index_of(const char *s, const char *needle, const char **error);
char *osp_rt_substring(const char *s, int64_t start, int64_t end, const char **error);
char *osp_rt_take(const char *s, int64_t n);
char *osp_rt_drop(const char *s, int64_t n);
int64_t osp_rt_byte_at(const char *s, int64_t i, const char **error);
int64_t osp_rt_code_point_at(const char *s, int64_t byte_index, const char **error);
int64_t osp_rt_code_point_width(int64_t codepoint, const char **error);
char *osp_rt_from_code_point(int64_t codepoint, const char **error);
char *osp_rt_upper(const char *s);
char *osp_rt_lower(const char *s);
char *osp_rt_trim(const char *s);
char *osp_rt_trim_start(const char *s);
char *osp_rt_trim_end(const char *s);
char *osp_rt_reverse(const char *s);
char *osp_rt_replace(const char *s, const char *needle, const char *replacement, const char **error);
char *osp_rt_repeat(const char *s, int64_t n, const char **error);
char *osp_rt_pad_start(const char *s, int64_t length, const char *fill, const char **error);
char *osp_rt_pad_end(const char *s, int64_t length, const char *fill, const char **error);

int64_t osp_rt_parse_int(const char *s, const char **error);
double osp_rt_parse_float(const char *s, const char **error);
int64_t osp_rt_abs(int64_t n, const char **error);
int64_t osp_rt_int_div(int64_t a, int64_t b, const char **error);
double osp_rt_to_float(int64_t n);
int64_t osp_rt_random(void);
int64_t osp_rt_random_below(int64_t n, const char **error);

char *osp_rt_read_file(const char *path, const char **error);
int64_t osp_rt_write_file(const char *path, const char *content, const char **error);

/* In an archive of their own, libosprey_json.a, because they need libjansson. */
int64_t osp_rt_json_parse(const char *text, const char **error);
char *osp_rt_json_get(int64_t document, const char *path, const char **error);
int64_t osp_rt_json_length(int64_t document, const char *path);
int64_t osp_rt_json_free(int64_t document, const char **error);

/* Without libjansson. */
char *osp_rt_json_string(const char *text);
