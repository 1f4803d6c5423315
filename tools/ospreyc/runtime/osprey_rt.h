#pragma once
/* What a program compiled by ospreyc calls besides the memory hooks and the WebSocket runtime.
 *
 * Strings are NUL-terminated. A `const char *` parameter is borrowed; a `char *` result is a block of osp_alloc's, one reference
 * of which the caller owns. Nothing here returns null: where memory ends, the program ends with a sentence, as compiled code
 * has no path for it. Everything may be called from any thread.
 */
#include <stdbool.h>
#include <stdint.h>

/* A piece of text to be rendered: the literal parts and the values of "a${b}c", or the one argument of print. `kind` says which
 * member holds and how it renders. OSP_RT_RESULT is added once for each Result around a value: OSP_RT_RESULT + OSP_RT_INT is a
 * pointer to a Result block of an int. */
enum osp_rt_kind {
  OSP_RT_TEXT = 0, /* as it is */
  OSP_RT_INT = 1,  /* decimal */
  OSP_RT_FLOAT =
      2, /* the shortest decimal that reads back as the same number; with ".0" where it would look like an int */
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

/* To be called by main, after osp_mem_boot: remembers the arguments, which stay main's. */
void osp_rt_boot(int argc, char **argv);

/* Joins the parts to one string. */
char *osp_rt_format(const struct osp_rt_part *parts, int64_t count);

/* Writes the parts and a newline to standard output, at once and as a whole: lines of several threads do not mix, and a reader of a
 * pipe sees each line when it is printed. */
void osp_rt_print(const struct osp_rt_part *parts, int64_t count);

/* The order of two strings by their bytes: negative, 0, positive. */
int64_t osp_rt_compare(const char *left, const char *right);

/* Reads a line of standard input, without its newline; "" at the end of input. A NUL byte is read as C0 80. */
char *osp_rt_input(void);

/* Waits so many milliseconds; not at all if negative. */
void osp_rt_sleep(int64_t milliseconds);

/* The program's nth argument, counted from 1; "" if there is none. Programs declare it as an extern fn. */
char *osp_rt_argument(int64_t n);

/* The int that a text of decimal digits, perhaps with a sign, stands for, as a block of Result<int, string>. Likewise. */
void *osp_rt_integer(const char *text);
