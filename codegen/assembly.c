#include "assembly.h"

#include <stdbool.h>
#include <string.h>

/* The rest of a statement. */
struct cg_words {
  const char *at, *end;
};

static bool cg_is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

static bool cg_is_symbol(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_.$@?", c));
}

/* Returns where a block comment that begins here ends, or `at`. */
static const char *cg_after_block(const char *at, const char *end) {
  if (end - at < 2 || at[0] != '/' || at[1] != '*')
    return at;
  for (at += 2; end - at >= 2; at++)
    if (at[0] == '*' && at[1] == '/')
      return at + 2;
  return end;
}

/* A block comment counts as a space. */
static void cg_skip_spaces(struct cg_words *words) {
  for (const char *from = NULL; from != words->at;) {
    from = words->at;
    while (words->at < words->end && cg_is_space(*words->at))
      words->at++;
    words->at = cg_after_block(words->at, words->end);
  }
}

/* Takes a name, which may be quoted. It is empty if the statement goes on with something else. */
static struct cg_words cg_take_name(struct cg_words *words) {
  cg_skip_spaces(words);
  bool quoted = words->at < words->end && *words->at == '"';
  struct cg_words name = {words->at + quoted, words->at + quoted};
  while (name.end < words->end && (quoted ? *name.end != '"' : cg_is_symbol(*name.end)))
    name.end++;
  words->at = name.end + (quoted && name.end < words->end);
  cg_skip_spaces(words);
  return name;
}

static bool cg_is_word(struct cg_words name, const char *word) {
  size_t length = (size_t)(name.end - name.at);
  return length == strlen(word) && !memcmp(name.at, word, length);
}

/* Directives whose first operand is a symbol that they define. */
static bool cg_is_definition(struct cg_words name) {
  static const char *const directives[] = {".set",   ".equ",     ".equiv",     ".comm",       ".common",
                                           ".lcomm", ".weakref", ".thumb_set", ".tls_common", ".lsym"};
  for (size_t i = 0; i < sizeof directives / sizeof *directives; i++)
    if (cg_is_word(name, directives[i]))
      return true;
  return false;
}

/* Whether the rest of the line is a comment. A # within a statement may begin an operand (#4). */
static bool cg_is_line_comment(const char *at, const char *end, bool begins) {
  if (*at == '#')
    return begins || (end - at > 1 && cg_is_space(at[1]));
  return end - at > 1 && at[0] == '/' && at[1] == '/';
}

/* Statements end with a line or a semicolon outside of quotes and comments. A line comment looks like no definition; it
 * belongs to the statement before it. */
static struct cg_words cg_take_statement(const char **at, const char *end) {
  struct cg_words statement = {*at, *at};
  bool quoted = false, begins = true;
  while (statement.end < end && *statement.end != '\n' && (quoted || *statement.end != ';')) {
    const char *after = quoted ? statement.end : cg_after_block(statement.end, end);
    if (!quoted && cg_is_line_comment(statement.end, end, begins)) {
      after = memchr(statement.end, '\n', (size_t)(end - statement.end));
      statement.end = after ? after : end;
    } else if (after > statement.end) {
      statement.end = after;
    } else {
      begins &= cg_is_space(*statement.end);
      if (quoted && *statement.end == '\\' && statement.end + 1 < end && statement.end[1] != '\n')
        statement.end++;
      else
        quoted ^= *statement.end == '"';
      statement.end++;
    }
  }
  *at = statement.end < end ? statement.end + 1 : end;
  return statement;
}

static void cg_find_in_statement(struct cg_words words, cg_assembly_found *found, void *context) {
  for (;;) {
    struct cg_words name = cg_take_name(&words);
    if (cg_is_definition(name))
      name = cg_take_name(&words);
    else if (words.at == words.end || (*words.at != ':' && *words.at != '='))
      return;
    if (name.at < name.end)
      found(name.at, (size_t)(name.end - name.at), context);
    if (words.at == words.end || *words.at != ':')
      return;
    words.at++; /* further labels and a directive may follow on the line */
  }
}

void cg_assembly_definitions(const char *text, size_t length, cg_assembly_found *found, void *context) {
  const char *end = text + length;
  while (text < end)
    cg_find_in_statement(cg_take_statement(&text, end), found, context);
}
