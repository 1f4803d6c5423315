#include "cc_command.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The list of arguments ---- */

int cc_command_insert(struct cc_command *command, size_t place, enum cc_role role, const char *text) {
  if (command->count == command->capacity) {
    size_t capacity = command->capacity ? 2 * command->capacity : 32;
    struct cc_argument *arguments = realloc(command->arguments, capacity * sizeof(*arguments));
    if (!arguments)
      return -1;
    command->arguments = arguments;
    command->capacity = capacity;
  }
  char *copy = strdup(text);
  if (!copy)
    return -1;
  memmove(command->arguments + place + 1, command->arguments + place,
          (command->count - place) * sizeof(*command->arguments));
  command->arguments[place] = (struct cc_argument){copy, role};
  command->count++;
  return 0;
}

int cc_command_append(struct cc_command *command, enum cc_role role, const char *text) {
  return cc_command_insert(command, command->count, role, text);
}

void cc_command_deinit(struct cc_command *command) {
  for (size_t i = 0; i < command->count; i++)
    free(command->arguments[i].text);
  free(command->arguments);
  free(command->own[0]);
  free(command->own[1]);
  *command = (struct cc_command){0};
}

/* ---- What each argument is ---- */

static bool cc_is_one_of(const char *text, const char *const *words) {
  while (*words && strcmp(*words, text) != 0)
    words++;
  return *words != NULL;
}

/* Options whose value is the next argument, when nothing is joined to them. */
static bool cc_takes_value(const char *option) {
  static const char *const options[] = {"-o",
                                        "-x",
                                        "-I",
                                        "-L",
                                        "-l",
                                        "-D",
                                        "-U",
                                        "-F",
                                        "-T",
                                        "-u",
                                        "-z",
                                        "-e",
                                        "-B",
                                        "-G",
                                        "-h",
                                        "-MF",
                                        "-MT",
                                        "-MQ",
                                        "-MJ",
                                        "-Xlinker",
                                        "-Xclang",
                                        "-Xassembler",
                                        "-Xpreprocessor",
                                        "-Xanalyzer",
                                        "-Xopenmp-target",
                                        "-Xoffload-linker",
                                        "-mllvm",
                                        "-target",
                                        "--target",
                                        "-arch",
                                        "-framework",
                                        "-include",
                                        "-imacros",
                                        "-include-pch",
                                        "-isystem",
                                        "-iquote",
                                        "-idirafter",
                                        "-iprefix",
                                        "-iwithprefix",
                                        "-iwithprefixbefore",
                                        "-isysroot",
                                        "--sysroot",
                                        "-ivfsoverlay",
                                        "-cxx-isystem",
                                        "-iframework",
                                        "-working-directory",
                                        "-resource-dir",
                                        "--param",
                                        "--config",
                                        "-rpath",
                                        "-soname",
                                        "-install_name",
                                        "-serialize-diagnostics",
                                        "-dumpbase",
                                        "-dumpdir",
                                        "-aux-info",
                                        "-gcc-toolchain",
                                        "-bundle_loader",
                                        "-current_version",
                                        "-compatibility_version",
                                        "-exported_symbols_list",
                                        "-filelist",
                                        NULL};
  return cc_is_one_of(option, options);
}

/* Options that stop before the link, or make a link that takes no libraries. */
static bool cc_prevents_link(const char *option) {
  static const char *const options[] = {
      "-c",        "-S",           "-E",        "-M",        "-MM",  "-r", "-fsyntax-only",
      "-emit-ast", "--precompile", "-Xanalyze", "--analyze", "-###", NULL};
  return cc_is_one_of(option, options);
}

static bool cc_ends_with(const char *text, const char *suffix) {
  size_t length = strlen(text), suffix_length = strlen(suffix);
  return length >= suffix_length && !strcmp(text + length - suffix_length, suffix);
}

/* language: the value of the -x in force, "none" if there is none. */
static enum cc_role cc_role_of_input(const char *text, const char *language) {
  if (!strcmp(language, "ir") || (!strcmp(language, "none") && cc_ends_with(text, ".ll")))
    return CC_IR;
  return cc_ends_with(text, ".a") ? CC_LIBRARY : CC_INPUT;
}

/* Takes an option of the driver's own, which clang must not see. */
static bool cc_take_own(struct cc_command *command, const char *text) {
  static const char clang[] = "--ws-clang=", runtime[] = "--ws-runtime=";
  int which = !strncmp(text, clang, sizeof(clang) - 1) ? 0 : !strncmp(text, runtime, sizeof(runtime) - 1) ? 1 : -1;
  if (!strcmp(text, "--ws-compat")) {
    command->compat = true;
    return true;
  }
  if (which < 0)
    return false;
  free(command->own[which]);
  command->own[which] = strdup(strchr(text, '=') + 1);
  *(which ? &command->runtime : &command->clang) = command->own[which];
  return true;
}

/* ---- Response files ---- */

/* Takes the next word of a response file into word, which has room for all that is left: words are separated by white
 * space, quoted by ' or ", and a backslash keeps the character after it. Returns what follows, NULL at the end. */
static const char *cc_next_word(const char *at, char *word) {
  char quote = 0;
  at += strspn(at, " \t\r\n\v\f");
  if (!*at)
    return NULL;
  for (; *at && (quote || !isspace((unsigned char)*at)); at++) {
    if (*at == '\\' && at[1])
      *word++ = *++at;
    else if (quote ? *at == quote : *at == '\'' || *at == '"')
      quote = quote ? 0 : *at;
    else
      *word++ = *at;
  }
  *word = '\0';
  return at;
}

static char *cc_read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = NULL;
  size_t capacity = 0;
  if (!file)
    return NULL;
  if (getdelim(&text, &capacity, '\0', file) < 0 && !feof(file)) {
    free(text);
    text = NULL;
  }
  fclose(file);
  return text;
}

/* Adds an argument, or what the response file that it names holds. Files that name each other end at a depth. */
static int cc_add_word(struct cc_command *command, const char *text, unsigned depth) {
  enum { DEEPEST = 16 };
  char *content = text[0] == '@' && depth < DEEPEST ? cc_read_file(text + 1) : NULL;
  if (!content)
    return cc_command_append(command, CC_OPTION, text);
  char *word = malloc(strlen(content) + 1);
  int status = word ? 0 : -1;
  command->from_response_file = true;
  for (const char *at = content; !status && (at = cc_next_word(at, word));)
    status = cc_add_word(command, word, depth + 1);
  free(word);
  free(content);
  return status;
}

/* ---- The command ---- */

static void cc_remove(struct cc_command *command, size_t place) {
  free(command->arguments[place].text);
  command->count--;
  memmove(command->arguments + place, command->arguments + place + 1,
          (command->count - place) * sizeof(*command->arguments));
}

/* After `--` every argument is an input; one that looks like an option is said to lie in the working directory. */
static int cc_end_options(struct cc_command *command, size_t place, const char *language) {
  cc_remove(command, place);
  for (size_t i = place; i < command->count; i++) {
    struct cc_argument *argument = &command->arguments[i];
    char *path = NULL;
    if (argument->text[0] == '-' && argument->text[1]) {
      if (asprintf(&path, "./%s", argument->text) < 0)
        return -1;
      free(argument->text);
      argument->text = path;
    }
    argument->role = cc_role_of_input(argument->text, language);
  }
  return 0;
}

/* Takes note of an option that names the target; value is the argument after it. The last one counts. */
static void cc_note_target(struct cc_command *command, const char *option, const char *value) {
  static const char target[] = "--target=";
  if (!strncmp(option, target, sizeof(target) - 1))
    command->target = option + sizeof(target) - 1;
  else if (!strcmp(option, "-target") || !strcmp(option, "--target"))
    command->target = value;
  else if (!strcmp(option, "-m32") || !strcmp(option, "-m16"))
    command->target = "i386";
  else if (!strcmp(option, "-mx32"))
    command->target = "x86_64-linux-gnux32";
  else if (!strcmp(option, "-m64"))
    command->target = NULL;
}

/* Gives every argument its role. */
static int cc_classify(struct cc_command *command) {
  const char *language = "none";
  int status = 0;
  command->links = true;
  for (size_t i = 0; i < command->count; i++) {
    struct cc_argument *argument = &command->arguments[i];
    const char *text = argument->text;
    if (!strcmp(text, "--")) {
      status = cc_end_options(command, i, language);
      break;
    }
    if (cc_take_own(command, text)) {
      cc_remove(command, i--);
    } else if (text[0] != '-' || !text[1]) {
      argument->role = cc_role_of_input(text, language);
    } else if (cc_takes_value(text) && i + 1 < command->count) {
      i++;
      cc_note_target(command, text, command->arguments[i].text);
      if (!strcmp(text, "-x"))
        language = command->arguments[i].text;
    } else {
      argument->role = !strncmp(text, "-l", 2) ? CC_LIBRARY : CC_OPTION;
      command->links = command->links && !cc_prevents_link(text);
      command->help = command->help || !strcmp(text, "--help");
      cc_note_target(command, text, NULL);
      if (!strncmp(text, "-x", 2))
        language = text + 2;
    }
  }
  command->language_set = strcmp(language, "none") != 0;
  return status;
}

static bool cc_has_input(const struct cc_command *command) {
  for (size_t i = 0; i < command->count; i++)
    if (command->arguments[i].role != CC_OPTION)
      return true;
  return false;
}

int cc_command_init(struct cc_command *command, int argc, char **argv) {
  int status = 0;
  *command = (struct cc_command){0};
  for (int i = 1; i < argc && !status; i++)
    status = cc_add_word(command, argv[i], 0);
  if (!status)
    status = cc_classify(command);
  command->links = command->links && cc_has_input(command);
  return status;
}
