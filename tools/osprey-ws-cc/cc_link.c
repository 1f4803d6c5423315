#include "cc_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cc_install.h"
#include "cc_map.h"

/* Returns the path of an archive, to be freed: in --ws-runtime, in OSPREY_WS_RUNTIME, or where this project built or
 * installed it. NULL if out of memory. */
static char *cc_link_find_archive(const struct cc_command *command, const char *name) {
  const char *given = command->runtime ? command->runtime : getenv("OSPREY_WS_RUNTIME");
  char *path = NULL;
  if (given && *given)
    return asprintf(&path, "%s/%s", given, name) < 0 ? NULL : path;
  return cc_install_find("../runtime", name);
}

/* Puts the archive of the old C functions before the first library: the linker takes the first definition. The host's
 * member that defines them too may still be linked for its other functions, so a second definition is no error. */
static int cc_link_insert_compat(struct cc_command *command) {
  size_t place = 0;
  while (place < command->count && command->arguments[place].role != CC_LIBRARY)
    place++;
  char *path = cc_link_find_archive(command, "libosprey_ws_compat.a");
  int status = !path || cc_command_insert(command, place, CC_LIBRARY, path) ||
                       cc_command_insert(command, place, CC_OPTION, "-Wl,--allow-multiple-definition")
                   ? -1
                   : 0;
  free(path);
  return status;
}

/* Returns true if an input of the command calls websocketServerCluster. The names are plain in LLVM IR of both kinds,
 * and in objects; an archive is linked for other members too, so the program's own inputs tell. */
static bool cc_link_uses_cluster(const struct cc_command *command) {
  static const char *const names[] = {"websocketServerCluster", "wsServerCluster", "osp_ws_server_cluster"};
  bool uses = false;
  for (size_t i = 0; i < command->count && !uses; i++) {
    const struct cc_argument *argument = &command->arguments[i];
    struct cc_map map;
    if (argument->role != CC_IR && argument->role != CC_INPUT)
      continue;
    if (cc_map_init(&map, argument->text))
      for (size_t name = 0; name < sizeof names / sizeof *names; name++)
        uses |= cc_map_contains(&map, names[name], false);
    cc_map_deinit(&map);
  }
  return uses;
}

/* Appends the archive of the cluster. */
static int cc_link_append_cluster(struct cc_command *command) {
  char *path = cc_link_find_archive(command, "libosprey_ws_cluster.a");
  int status = path ? cc_command_append(command, CC_LIBRARY, path) : -1;
  free(path);
  return status;
}

/* Appends the runtime, then the caller's libraries again, which define the runtime's memory hooks, then the
 * system's. */
static int cc_link_append_runtime(struct cc_command *command) {
  static const char *const system_libraries[] = {"-Wl,--push-state,--as-needed", OSPREY_WS_SYSTEM_LIBRARIES,
                                                 "-Wl,--pop-state"};
  size_t own = command->count;
  if (command->language_set &&
      (cc_command_append(command, CC_OPTION, "-x") || cc_command_append(command, CC_OPTION, "none")))
    return -1;
  bool cluster = cc_link_uses_cluster(command);
  if (cluster && cc_link_append_cluster(command))
    return -1;
  char *runtime = cc_link_find_archive(command, "libosprey_ws.a");
  int status = runtime ? cc_command_append(command, CC_LIBRARY, runtime) : -1;
  free(runtime);
  for (size_t i = 0; i < own && !status; i++)
    if (command->arguments[i].role == CC_LIBRARY)
      status = cc_command_append(command, CC_LIBRARY, command->arguments[i].text);
  for (size_t i = 0; i < sizeof system_libraries / sizeof *system_libraries && !status; i++)
    status = cc_command_append(command, CC_LIBRARY, system_libraries[i]);
  if (cluster && !status)
    status = cc_command_append(command, CC_LIBRARY, OSPREY_WS_CLUSTER_LIBRARY);
  return status;
}

bool cc_link_has_compat(const struct cc_command *command) {
  const char *compat = getenv("OSPREY_WS_COMPAT");
  return command->links && (command->compat || (compat && *compat && strcmp(compat, "0") != 0));
}

int cc_link_runtime(struct cc_command *command) {
  if (!command->links)
    return 0;
  if (cc_link_has_compat(command) && cc_link_insert_compat(command))
    return -1;
  return cc_link_append_runtime(command);
}

/* Returns true if the file defines or calls a memory hook, or cannot be read. */
static bool cc_link_has_hook(const char *path) {
  struct cc_map map;
  bool has = !cc_map_init(&map, path) || cc_map_contains(&map, "osp_alloc", true);
  cc_map_deinit(&map);
  return has;
}

bool cc_link_lacks_hooks(const struct cc_command *command) {
  if (!command->links)
    return false;
  for (size_t i = 0; i < command->count; i++) {
    const struct cc_argument *argument = &command->arguments[i];
    if (argument->role == CC_LIBRARY || argument->role == CC_INPUT)
      if (argument->text[0] == '-' || cc_link_has_hook(argument->text))
        return false;
  }
  return true;
}
