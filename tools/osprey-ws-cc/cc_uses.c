#include "cc_uses.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cc_map.h"

#define CC_USES_RUNTIME "osp_ws_"

/* ---- LLVM IR */

/* Returns true if the name after an @ may be of a builtin (websocketSend, wsSend) or of the runtime. A quoted name may
 * spell any letter as an escape. */
static bool cc_uses_name(const char *name, const char *end) {
  static const char *const builtins[] = {"websocket", "ws"};
  if (name < end && *name == '"') {
    name++;
    const char *quote = memchr(name, '"', (size_t)(end - name));
    end = quote ? quote : end;
    if (memchr(name, '\\', (size_t)(end - name)))
      return true;
  }
  size_t length = (size_t)(end - name);
  for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++) {
    size_t prefix = strlen(builtins[i]);
    if (length > prefix && !memcmp(name, builtins[i], prefix) && isupper((unsigned char)name[prefix]))
      return true;
  }
  return length >= strlen(CC_USES_RUNTIME) && !memcmp(name, CC_USES_RUNTIME, strlen(CC_USES_RUNTIME));
}

static bool cc_uses_in_text(const struct cc_map *text) {
  const char *at = text->bytes, *end = at + text->size;
  while (at < end && (at = memchr(at, '@', (size_t)(end - at))))
    if (cc_uses_name(++at, end))
      return true;
  return false;
}

/* Bitcode may spell names in any way. */
static bool cc_uses_in_ir(const char *path) {
  struct cc_map map;
  bool is_mapped = cc_map_init(&map, path);
  bool is_bitcode = cc_map_begins(&map, "BC\xC0\xDE") || cc_map_begins(&map, "\xDE\xC0\x17\x0B");
  bool uses = !is_mapped || is_bitcode || cc_uses_in_text(&map);
  cc_map_deinit(&map);
  return uses;
}

/* ---- objects and archives */

/* Returns true if the file calls the runtime, or is neither an object nor an archive, but a source, say. */
static bool cc_uses_in_object(const char *path) {
  struct cc_map map;
  bool is_object = cc_map_init(&map, path) && (cc_map_begins(&map, "\177ELF") || cc_map_begins(&map, "!<arch>\n"));
  bool uses = !is_object || cc_map_contains(&map, CC_USES_RUNTIME, false);
  cc_map_deinit(&map);
  return uses;
}

/* The library of an option -lNAME in one folder. */
static bool cc_uses_in_folder(const char *folder, size_t length, const char *name) {
  static const char *const suffixes[] = {"so", "a"};
  bool uses = false;
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes && !uses; i++) {
    char *path = NULL;
    uses = asprintf(&path, "%.*s/lib%s.%s", (int)length, folder, name, suffixes[i]) < 0 ||
           (!access(path, F_OK) && cc_uses_in_object(path));
    free(path);
  }
  return uses;
}

/* Folders separated by colons, as in LIBRARY_PATH. */
static bool cc_uses_in_folders(const char *folders, const char *name) {
  for (; *folders; folders += *folders == ':') {
    size_t length = strcspn(folders, ":");
    if (cc_uses_in_folder(length ? folders : ".", length ? length : 1, name))
      return true;
    folders += length;
  }
  return false;
}

/* A library that is in none of the folders which the command and the environment name is the system's. */
static bool cc_uses_in_library(const struct cc_command *command, const char *name) {
  const char *folders = getenv("LIBRARY_PATH");
  for (size_t i = 0; i < command->count; i++) {
    const char *text = command->arguments[i].text;
    if (strncmp(text, "-L", 2) != 0)
      continue;
    const char *folder = text[2] ? text + 2 : i + 1 < command->count ? command->arguments[i + 1].text : "";
    if (cc_uses_in_folder(folder, strlen(folder), name))
      return true;
  }
  return folders && cc_uses_in_folders(folders, name);
}

/* Returns true if an option may hand the linker a file or a library that is no argument of its own. */
static bool cc_uses_in_option(const struct cc_command *command, size_t place) {
  const char *text = command->arguments[place].text;
  const char *next = place + 1 < command->count ? command->arguments[place + 1].text : "";
  if (!strcmp(text, "-l"))
    return cc_uses_in_library(command, next);
  const char *words = !strcmp(text, "-Xlinker") ? next : !strncmp(text, "-Wl,", 4) ? text : "";
  return strstr(words, ".a") || strstr(words, ".o") || strstr(words, "-l") || !strncmp(text, "--library", 9);
}

static bool cc_uses_in_argument(const struct cc_command *command, size_t place) {
  const struct cc_argument *argument = &command->arguments[place];
  bool is_stdin = argument->role != CC_OPTION && !strcmp(argument->text, "-");
  if (argument->role == CC_IR)
    return is_stdin || cc_uses_in_ir(argument->text);
  if (!command->links)
    return false;
  if (argument->role == CC_OPTION)
    return cc_uses_in_option(command, place);
  if (!strncmp(argument->text, "-l", 2))
    return cc_uses_in_library(command, argument->text + 2);
  return is_stdin || cc_uses_in_object(argument->text);
}

bool cc_uses_websockets(const struct cc_command *command) {
  for (size_t i = 0; i < command->count; i++)
    if (cc_uses_in_argument(command, i))
      return true;
  return false;
}
