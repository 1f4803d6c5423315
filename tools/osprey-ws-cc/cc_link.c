#include "cc_link.h"

#include "../osprey-ws-lower/ir_file.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The archives ---- */

static bool option_is_set(const char *name) {
  const char *value = getenv(name);
  return value && *value && strcmp(value, "0") != 0;
}

/* The archives lie beside this program as they were built or installed. Returns the path of one, to be freed. */
static char *find_archive(const struct cc_command *command, const char *in_build, const char *name) {
  const char *given = command->runtime ? command->runtime : getenv("OSPREY_WS_RUNTIME");
  char self[PATH_MAX], *path = NULL;
  ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
  self[length < 0 ? 0 : length] = '\0';
  const char *directory = dirname(self);
  if (given && *given)
    return asprintf(&path, "%s/%s", given, name) < 0 ? NULL : path;
  if (asprintf(&path, "%s/%s/%s", directory, in_build, name) < 0)
    return NULL;
  if (!access(path, R_OK))
    return path;
  free(path);
  return asprintf(&path, "%s/%s/%s", directory, OSPREY_WS_LIBDIR, name) < 0 ? NULL : path;
}

/* ---- The link ---- */

static int append_archive(struct cc_command *command, const char *in_build, const char *name) {
  char *path = find_archive(command, in_build, name);
  int status = path ? cc_command_append(command, CC_LIBRARY, path) : -1;
  free(path);
  return status;
}

/* The archive of the old C functions goes in front of the first library: the linker takes the first definition. Where
 * a member of the host's archive is needed for other functions too, the second definition must not be an error. */
static int insert_compat(struct cc_command *command) {
  size_t place = 0;
  while (place < command->count && command->arguments[place].role != CC_LIBRARY)
    place++;
  char *path = find_archive(command, "../runtime", "libosprey_ws_compat.a");
  int status = !path || cc_command_insert(command, place, CC_LIBRARY, path) ||
                       cc_command_insert(command, place, CC_OPTION, "-Wl,--allow-multiple-definition")
                   ? -1
                   : 0;
  free(path);
  return status;
}

/* The runtime, then the caller's libraries once more, for the runtime needs their memory hooks, then what it needs of
 * the system. */
static int append_runtime(struct cc_command *command) {
  static const char *const system_libraries[] = {"-Wl,--push-state,--as-needed", OSPREY_WS_SYSTEM_LIBRARIES,
                                                 "-Wl,--pop-state"};
  size_t own = command->count;
  if (command->language_set &&
      (cc_command_append(command, CC_OPTION, "-x") || cc_command_append(command, CC_OPTION, "none")))
    return -1;
  if (append_archive(command, "../runtime", "libosprey_ws.a"))
    return -1;
  for (size_t i = 0; i < own; i++)
    if (command->arguments[i].role == CC_LIBRARY && cc_command_append(command, CC_LIBRARY, command->arguments[i].text))
      return -1;
  for (size_t i = 0; i < sizeof(system_libraries) / sizeof(system_libraries[0]); i++)
    if (cc_command_append(command, CC_LIBRARY, system_libraries[i]))
      return -1;
  return 0;
}

int cc_link_runtime(struct cc_command *command) {
  if (!command->links)
    return 0;
  if ((command->compat || option_is_set("OSPREY_WS_COMPAT")) && insert_compat(command))
    return -1;
  return append_runtime(command);
}

/* ---- What the caller links ---- */

/* Whether a file that the caller names holds a word; what cannot be read may. */
static bool file_holds(const char *path, const char *word) {
  struct ir_file file;
  if (access(path, R_OK))
    return true;
  bool holds = ir_file_read(&file, path) != IR_OK || memmem(file.bytes, file.size, word, strlen(word) + 1);
  ir_file_deinit(&file);
  return holds;
}

bool cc_link_lacks_hooks(const struct cc_command *command) {
  if (!command->links)
    return false;
  for (size_t i = 0; i < command->count; i++) {
    const struct cc_argument *argument = &command->arguments[i];
    if (argument->role == CC_LIBRARY || argument->role == CC_INPUT)
      if (argument->text[0] == '-' || file_holds(argument->text, "osp_alloc"))
        return false;
  }
  return true;
}
