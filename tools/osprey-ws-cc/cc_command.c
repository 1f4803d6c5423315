#include "cc_command.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- arguments */

int cc_command_insert(struct cc_command *command, size_t place, enum cc_role role, const char *text) {
  if (command->count == command->capacity) {
    size_t capacity = command->capacity ? 2 * command->capacity : 32;
    struct cc_argument *arguments = realloc(command->arguments, capacity * sizeof *arguments);
    if (!arguments)
      return -1;
    command->arguments = arguments;
    command->capacity = capacity;
  }
  char *copy = strdup(text);
  if (!copy)
    return -1;
  memmove(command->arguments + place + 1, command->arguments + place,
          (command->count - place) * sizeof *command->arguments);
  command->arguments[place] = (struct cc_argument){copy, role};
  command->count++;
  return 0;
}

int cc_command_append(struct cc_command *command, enum cc_role role, const char *text) {
  return cc_command_insert(command, command->count, role, text);
}

static void cc_command_remove(struct cc_command *command, size_t place) {
  free(command->arguments[place].text);
  command->count--;
  memmove(command->arguments + place, command->arguments + place + 1,
          (command->count - place) * sizeof *command->arguments);
}

void cc_command_deinit(struct cc_command *command) {
  for (size_t i = 0; i < command->count; i++)
    free(command->arguments[i].text);
  free(command->arguments);
  free(command->clang);
  free(command->runtime);
  *command = (struct cc_command){0};
}

/* ---- response files */

/* Copies the next word of a response file to `word`, which has room for the rest of the file. White space separates
 * words, ' and " quote, and a backslash escapes the next character. Returns the position after the word, or NULL at
 * the end. */
static const char *cc_command_next_word(const char *at, char *word) {
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

static char *cc_command_read_file(const char *path) {
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

/* Appends an argument, or the contents of the response file it names. A depth limit ends files that include each
 * other. */
static int cc_command_expand(struct cc_command *command, const char *text, unsigned depth) {
  enum { MAX_DEPTH = 16 };
  char *content = text[0] == '@' && depth < MAX_DEPTH ? cc_command_read_file(text + 1) : NULL;
  if (!content)
    return cc_command_append(command, CC_OPTION, text);
  char *word = malloc(strlen(content) + 1);
  int status = word ? 0 : -1;
  command->from_response_file = true;
  for (const char *at = content; !status && (at = cc_command_next_word(at, word));)
    status = cc_command_expand(command, word, depth + 1);
  free(word);
  free(content);
  return status;
}

/* ---- roles */

/* Returns true if `words`, separated, preceded and followed by spaces, contains the option. */
static bool cc_command_is_one_of(const char *option, const char *words) {
  char word[40];
  int length = snprintf(word, sizeof word, " %s ", option);
  return length > 0 && (size_t)length < sizeof word && !strchr(option, ' ') && strstr(words, word);
}

/* Returns true if the option's value is the next argument. */
static bool cc_command_takes_value(const char *option) {
  return cc_command_is_one_of(
      option,
      " -o -x -I -L -l -D -U -F -T -u -z -e -A -B -G -b -h -MF -MT -MQ -MJ -Xlinker -Xclang -Xassembler -Xpreprocessor"
      " -Xanalyzer -Xopenmp-target -Xoffload-linker -Xarch_host -Xarch_device -Xcuda-ptxas -Xcuda-fatbinary -mllvm "
      "-mmlir"
      " -mthread-model -target --target -arch -framework -include -imacros -include-pch -isystem -isystem-after -iquote"
      " -idirafter -iprefix -iwithprefix -iwithprefixbefore -iwithsysroot -isysroot -imultilib -ivfsoverlay -vfsoverlay"
      " -cxx-isystem -stdlib++-isystem -iframework -iframeworkwithsysroot -iapinotes-modules -working-directory"
      " -resource-dir -rpath -soname -init -install_name -image_base -serialize-diagnostics -dumpbase -dumpdir"
      " -dependency-file -dependency-dot -aux-info -gcc-toolchain -ccc-gcc-name -ccc-install-dir -object-file-name"
      " -bundle_loader -current_version -compatibility_version -exported_symbols_list -filelist -umbrella"
      " -weak_framework -weak_library -reexport_library -lazy_library"
      " --CLASSPATH --analyzer-output --assert --bootclasspath --classpath --config --define-macro --dyld-prefix "
      "--encoding"
      " --entry --extdirs --for-linker --force-link --imacros --include --include-directory --include-directory-after"
      " --include-prefix --include-with-prefix --include-with-prefix-after --include-with-prefix-before --language"
      " --library-directory --mhwdiv --no-system-header-prefix --output --output-class-directory --param --prefix"
      " --resource --rtlib --serialize-diagnostics --std --stdlib --sysroot --system-header-prefix --undefine-macro"
      " --vfsoverlay ");
}

/* Returns true if the option stops clang before the link, or makes a link without libraries. */
static bool cc_command_prevents_link(const char *option) {
  return cc_command_is_one_of(option, " -cc1 -cc1as -c -S -E -M -MM -r -fsyntax-only -emit-ast -verify-pch -### "
                                      "--assemble --compile --preprocess --dependencies"
                                      " --user-dependencies --analyze --precompile --emit-static-lib ");
}

static bool cc_command_ends_with(const char *text, const char *suffix) {
  size_t length = strlen(text), suffix_length = strlen(suffix);
  return length >= suffix_length && !strcmp(text + length - suffix_length, suffix);
}

/* Returns the language that the option sets for the inputs behind it, or NULL; `value` is the argument after it. */
static const char *cc_command_language_of(const char *option, const char *value) {
  static const char language[] = "--language=";
  if (!strncmp(option, language, sizeof language - 1))
    return option + sizeof language - 1;
  if (!strcmp(option, "-x") || !strcmp(option, "--language"))
    return value;
  return !strncmp(option, "-x", 2) ? option + 2 : NULL;
}

/* `language` is the value of the last -x, or "none". */
static enum cc_role cc_command_input_role(const char *text, const char *language) {
  bool is_ir = cc_command_ends_with(text, ".ll") || cc_command_ends_with(text, ".bc");
  if (!strcmp(language, "ir") || (!strcmp(language, "none") && is_ir))
    return CC_IR;
  return cc_command_ends_with(text, ".a") ? CC_LIBRARY : CC_INPUT;
}

/* Parses an option of osprey-ws-cc, which clang does not know. Returns false for any other option. */
static bool cc_command_parse_own(struct cc_command *command, const char *text) {
  static const char clang[] = "--ws-clang=", runtime[] = "--ws-runtime=";
  if (!strcmp(text, "--ws-compat")) {
    command->compat = true;
    return true;
  }
  bool is_clang = !strncmp(text, clang, sizeof clang - 1);
  if (!is_clang && strncmp(text, runtime, sizeof runtime - 1) != 0)
    return false;
  char **value = is_clang ? &command->clang : &command->runtime;
  free(*value);
  *value = strdup(strchr(text, '=') + 1);
  return true;
}

/* Removes the `--` at `place`; all arguments after it are inputs. */
static int cc_command_end_options(struct cc_command *command, size_t place, const char *language) {
  cc_command_remove(command, place);
  for (size_t i = place; i < command->count; i++) {
    struct cc_argument *argument = &command->arguments[i];
    char *path = NULL;
    if (argument->text[0] == '-' && argument->text[1]) {
      if (asprintf(&path, "./%s", argument->text) < 0)
        return -1;
      free(argument->text);
      argument->text = path;
    }
    argument->role = cc_command_input_role(argument->text, language);
  }
  return 0;
}

/* Records the target if the option selects one; `value` is the argument after it. The last such option wins. */
static void cc_command_parse_target(struct cc_command *command, const char *option, const char *value) {
  static const char target[] = "--target=";
  if (!strncmp(option, target, sizeof target - 1))
    command->target = option + sizeof target - 1;
  else if (!strcmp(option, "-target") || !strcmp(option, "--target"))
    command->target = value;
  else if (!strcmp(option, "-m32") || !strcmp(option, "-m16"))
    command->target = "i386";
  else if (!strcmp(option, "-mx32"))
    command->target = "x86_64-linux-gnux32";
  else if (!strcmp(option, "-m64"))
    command->target = NULL;
}

/* Assigns a role to every argument. */
static int cc_command_classify(struct cc_command *command) {
  const char *language = "none";
  int status = 0;
  command->links = true;
  for (size_t i = 0; i < command->count; i++) {
    struct cc_argument *argument = &command->arguments[i];
    const char *text = argument->text, *value = NULL, *set = NULL;
    if (!strcmp(text, "--")) {
      status = cc_command_end_options(command, i, language);
      break;
    }
    if (cc_command_parse_own(command, text)) {
      cc_command_remove(command, i--);
    } else if (text[0] != '-' || !text[1]) {
      argument->role = cc_command_input_role(text, language);
    } else if (cc_command_takes_value(text) && i + 1 < command->count) {
      value = command->arguments[++i].text;
      cc_command_parse_target(command, text, value);
      set = cc_command_language_of(text, value);
    } else {
      argument->role = !strncmp(text, "-l", 2) ? CC_LIBRARY : CC_OPTION;
      command->links = command->links && !cc_command_prevents_link(text);
      command->is_static = command->is_static || cc_command_is_one_of(text, " -static --static -static-pie ");
      command->help = command->help || !strcmp(text, "--help");
      command->version = command->version || !strcmp(text, "--version");
      cc_command_parse_target(command, text, NULL);
      set = cc_command_language_of(text, NULL);
    }
    language = set ? set : language;
  }
  command->language_set = strcmp(language, "none") != 0;
  return status;
}

int cc_command_init(struct cc_command *command, int argc, char **argv) {
  int status = 0;
  bool has_input = false;
  *command = (struct cc_command){0};
  for (int i = 1; i < argc && !status; i++)
    status = cc_command_expand(command, argv[i], 0);
  if (!status)
    status = cc_command_classify(command);
  for (size_t i = 0; i < command->count; i++)
    has_input = has_input || command->arguments[i].role != CC_OPTION;
  command->links = command->links && has_input;
  return status;
}
