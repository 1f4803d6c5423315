#pragma once
/* The functions that programs of ospreyc call besides the memory hooks and the WebSocket runtime.
 *
 * Strings are NUL-terminated. A `const char *` parameter is borrowed; a `char *` result is a block from osp_alloc, and
 * the caller owns a reference to it. No function returns NULL: out of memory, the process ends with a message, because
 * compiled code does not check. Thread-safe.
 */
#include <stdbool.h>
#include <stdint.h>

/* A piece of text to render: a literal part or a value of "a${b}c", or the argument of print. `kind` selects the
 * union's member and its rendering. Each Result around a value adds OSP_RT_RESULT: OSP_RT_RESULT + OSP_RT_INT is a
 * pointer to a Result block of an int. */
enum osp_rt_kind {
  OSP_RT_TEXT = 0,   /* unchanged */
  OSP_RT_INT = 1,    /* decimal */
  OSP_RT_FLOAT = 2,  /* the shortest decimal that reads back as the same number; ".0" is added to digits alone */
  OSP_RT_BOOL = 3,   /* true or false; in `integer` */
  OSP_RT_UNIT = 4,   /* 0 */
  OSP_RT_RESULT = 8, /* Success(value) or Error(message) */
};

struct osp_rt_part {
  int64_t kind;
  union {
    int64_t integer;
    double real;
    const void *pointer;
  };
};

/* Keeps the arguments for osp_rt_argument, without a copy, and prepares for crashes (below). main calls it after
 * osp_mem_boot. */
void osp_rt_boot(int argc, char **argv);

/* Renders the parts as one string. */
char *osp_rt_format(const struct osp_rt_part *parts, int64_t count);

/* Writes the parts and a newline to standard output in one write, so lines of several threads do not mix, and the
 * reader of a pipe sees each line immediately. */
void osp_rt_print(const struct osp_rt_part *parts, int64_t count);

/* Compares two strings bytewise. Returns a negative number, 0 or a positive one. */
int64_t osp_rt_compare(const char *left, const char *right);

/* Reads a line of standard input, without its newline; "" at the end of input. A NUL byte is read as C0 80. */
char *osp_rt_input(void);

/* Returns at once if the time is negative. */
void osp_rt_sleep(int64_t milliseconds);

/* Returns the program's nth argument, counted from 1, or "" if there is none. Programs declare it as an extern fn. */
char *osp_rt_argument(int64_t n);

/* Returns a block of Result<string, string> with a variable of the environment. Programs declare it as an extern fn. */
void *osp_rt_environment(const char *name);

/* ---- crashes */

/* The functions of the program, whose code is all in one section, osprey_code. ospreyc adds it to the objects that it
 * links; IR that it prints has none. */
struct osp_rt_function {
  const void *code;
  const char *name;
  int64_t line;
};

struct osp_rt_program {
  const char *path; /* of the source */
  const struct osp_rt_function *functions;
  int64_t count;
};

extern const struct osp_rt_program osp_rt_program __attribute__((weak));

/* An extern fn returned NULL: prints the line, which names it and its place, and ends the process by SIGSEGV. */
_Noreturn void osp_rt_null_result(const char *line);
