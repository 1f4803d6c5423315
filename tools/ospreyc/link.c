#include "link.h"

#include "arena.h"
#include "diag.h"
#include "emit.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef OSPREYC_CC
#define OSPREYC_CC "cc"
#endif
#ifndef OSPREYC_LIBDIR
#define OSPREYC_LIBDIR "lib"
#endif
/* Options that harden a program, and --coverage if the archives count their branches. */
#ifndef OSPREYC_LINK
#define OSPREYC_LINK ""
#endif

extern char **environ;

enum { LINK_ARGUMENTS = 64 };

struct link_command {
  char *arguments[LINK_ARGUMENTS + 1];
  size_t count;
};

__attribute__((format(printf, 2, 3))) static void command_add(struct link_command *command, const char *format, ...) {
  va_list values;
  va_start(values, format);
  if (command->count < LINK_ARGUMENTS && vasprintf(&command->arguments[command->count], format, values) >= 0)
    command->arguments[++command->count] = NULL;
  va_end(values);
}

static void command_add_words(struct link_command *command, const char *words) {
  char *copy = strdup(words), *rest = NULL;
  for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
    command_add(command, "%s", word);
  free(copy);
}

/* Appends the path of one of the runtime's archives. Returns -1 after a message if it is in none of its places. */
static int command_add_archive(struct link_command *command, const char *name, FILE *err) {
  static const char *const places[] = {"../../runtime", ".", ("../" OSPREYC_LIBDIR), "../lib"};
  char own[PATH_MAX], path[PATH_MAX + 64];
  ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
  own[length > 0 ? length : 0] = '\0';
  char *slash = strrchr(own, '/');
  if (slash)
    *slash = '\0';
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    snprintf(path, sizeof path, "%s/%s/%s", own, places[i], name);
    if (access(path, R_OK) == 0) {
      command_add(command, "%s", path);
      return 0;
    }
  }
  if (strstr(name, "cluster"))
    fprintf(err, "error: this build has no cluster: websocketServerCluster needs libnats-dev (tools/run installs it, "
                 "and builds what is missing)\n");
  fprintf(err, "error: %s not found in %s/../../runtime or %s/../%s\n", name, own, own, OSPREYC_LIBDIR);
  return -1;
}

/* ---- signals */

/* What a signal that ends the compiler removes first: set while the temporary directory exists. */
static char link_scratch_path[PATH_MAX], link_scratch_files[2][PATH_MAX + 16];
static volatile sig_atomic_t link_child; /* the process that links; 0: none */

static const int link_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

/* Calls only what POSIX allows in a signal handler. */
static void link_end(int number) {
  int status, saved = errno;
  if (link_child > 0 && kill((pid_t)link_child, SIGTERM) == 0)
    waitpid((pid_t)link_child, &status, 0);
  for (size_t i = 0; i < sizeof link_scratch_files / sizeof *link_scratch_files; i++)
    unlink(link_scratch_files[i]);
  rmdir(link_scratch_path);
  signal(number, SIG_DFL);
  raise(number); /* delivered when this handler returns */
  errno = saved;
}

/* A signal that was ignored stays so. The program that replaces this process gets the default again. */
static void link_clean_up_on_signals(const char *scratch) {
  struct sigaction action = {.sa_handler = link_end, .sa_flags = SA_RESTART}, before;
  snprintf(link_scratch_path, sizeof link_scratch_path, "%s", scratch);
  snprintf(link_scratch_files[0], sizeof link_scratch_files[0], "%s/program.o", scratch);
  snprintf(link_scratch_files[1], sizeof link_scratch_files[1], "%s/program", scratch);
  for (size_t i = 0; i < sizeof link_signals / sizeof *link_signals; i++) {
    if (sigaction(link_signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
      sigaction(link_signals[i], &action, NULL);
  }
}

/* The environment, but with the linker's messages in English. The caller frees the array. */
static char **command_environment(void) {
  static char english[] = "LC_ALL=C";
  size_t count = 0, kept = 0;
  while (environ[count])
    count++;
  char **copy = calloc(count + 2, sizeof *copy);
  for (size_t i = 0; i < count; i++)
    if (strncmp(environ[i], "LC_ALL=", strlen("LC_ALL=")) != 0)
      copy[kept++] = environ[i];
  copy[kept] = english;
  return copy;
}

/* Runs the command with its messages to a file, and waits for it. */
static int command_run(const struct link_command *command, int messages, FILE *err) {
  pid_t child = 0;
  int status = 0;
  char **environment = command_environment();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, messages, STDERR_FILENO);
  int problem = posix_spawnp(&child, command->arguments[0], &actions, NULL, command->arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  free(environment);
  if (problem) {
    fprintf(err, "error: cannot run '%s': %s\n", command->arguments[0], strerror(problem));
    return -1;
  }
  link_child = child;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    continue;
  link_child = 0;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

/* ---- the linker's messages */

static char *messages_read(int messages) {
  off_t length = lseek(messages, 0, SEEK_END);
  char *text = calloc(1, (size_t)(length > 0 ? length : 0) + 1);
  if (length > 0 && pread(messages, text, (size_t)length, 0) != length)
    *text = '\0';
  return text;
}

static bool messages_is_name(char c) {
  return isalnum((unsigned char)c) || c == '_';
}

/* Whether a line says that a symbol is undefined: ld's "undefined reference to `NAME'", or lld's "undefined symbol:
 * NAME". */
static bool messages_miss(const char *line, const char *name) {
  const char *at = strstr(line, "undefined ");
  while (at && (at = strstr(at, name))) {
    if (!messages_is_name(at[-1]) && !messages_is_name(at[strlen(name)]))
      return true;
    at += strlen(name);
  }
  return false;
}

/* Reports the externs that a line says are undefined. Returns false if it says so of another symbol. */
static bool messages_explain(struct diag *diag, const struct ast_program *program, const char *line) {
  if (!strstr(line, "undefined "))
    return true;
  for (size_t i = 0; i < program->extern_count; i++) {
    const struct ast_extern *external = program->externs[i];
    if (!messages_miss(line, external->name))
      continue;
    *diag_error(diag, external->place, "no linked library has the extern function '%s'", external->name) =
        "name its library or object in OSPREYC_LDFLAGS: OSPREYC_LDFLAGS=-lNAME ospreyc …";
    return true;
  }
  return false;
}

/* Reports a failure to link: at the extern functions that are missing, or else in the linker's words. */
static void messages_report(const struct ast_program *program, const char *text, const char *driver, FILE *err) {
  struct arena arena;
  struct diag diag;
  arena_init(&arena);
  diag_init(&diag, &arena, program->source);
  char *copy = strdup(text), *rest = NULL;
  bool explained = true;
  for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
    explained &= messages_explain(&diag, program, line);
  free(copy);
  diag_print(&diag, err);
  if (!explained || diag.errors == 0)
    fprintf(err, "%serror: '%s' failed to link the program\n", text, driver);
  arena_deinit(&arena);
}

/* Returns true if the object calls websocketServerCluster, which is in an archive of its own. */
static bool object_uses_cluster(const char *object) {
  static const char entry[] = "osp_ws_server_cluster";
  int file = open(object, O_RDONLY | O_CLOEXEC);
  off_t size = file < 0 ? 0 : lseek(file, 0, SEEK_END);
  void *bytes = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
  bool uses = bytes != MAP_FAILED && memmem(bytes, (size_t)size, entry, sizeof entry);
  if (bytes != MAP_FAILED)
    munmap(bytes, (size_t)size);
  if (file >= 0)
    close(file);
  return uses;
}

/* libm is for functions that programs declare themselves, such as `extern fn sqrt`. */
int link_program(const struct ast_program *program, const char *object, const char *output, FILE *err) {
  static const char *const archives[] = {"libosprey_ws.a", "libosprey_rt.a", "libosprey_mem.a"};
  static const char *const system_libraries[] = {"-Wl,--as-needed", OSPREY_WS_SYSTEM_LIBRARIES, "-lm"};
  struct link_command command = {0};
  bool cluster = object_uses_cluster(object);
  const char *driver = getenv("OSPREYC_CC"), *flags = getenv("OSPREYC_LDFLAGS");
  command_add(&command, "%s", driver && *driver ? driver : OSPREYC_CC);
  command_add(&command, "%s", object);
  command_add(&command, "-o");
  command_add(&command, "%s", output);
  if (strcmp(emit_sanitizers(), "none") != 0)
    command_add(&command, "-fsanitize=%s", emit_sanitizers());
  int outcome = program->uses_json ? command_add_archive(&command, "libosprey_json.a", err) : 0;
  if (outcome == 0 && cluster)
    outcome = command_add_archive(&command, "libosprey_ws_cluster.a", err);
  for (size_t i = 0; outcome == 0 && i < sizeof archives / sizeof *archives; i++)
    outcome = command_add_archive(&command, archives[i], err);
#ifndef OSPREY_WS_POSIX
  command_add(&command, "-Wl,--wrap=pthread_create"); /* runtime/osprey_rt_thread.c */
#endif
  command_add_words(&command, OSPREYC_LINK);
  for (size_t i = 0; i < sizeof system_libraries / sizeof *system_libraries; i++)
    command_add(&command, "%s", system_libraries[i]);
  if (cluster)
    command_add(&command, "%s", OSPREY_WS_CLUSTER_LIBRARY);
  if (program->uses_json)
    command_add(&command, "-ljansson");
  command_add_words(&command, flags ? flags : "");
  int messages = memfd_create("messages", MFD_CLOEXEC);
  if (outcome == 0)
    outcome = command_run(&command, messages, err);
  char *text = messages_read(messages);
  close(messages);
  if (outcome > 0)
    messages_report(program, text, command.arguments[0], err);
  else
    fputs(text, err);
  free(text);
  for (size_t i = 0; i < command.count; i++)
    free(command.arguments[i]);
  return outcome == 0 ? 0 : -1;
}

char *link_scratch(FILE *err) {
  const char *place = getenv("TMPDIR");
  char *path = NULL;
  if (asprintf(&path, "%s/ospreyc-XXXXXX", place && *place ? place : "/tmp") < 0)
    return NULL;
  if (mkdtemp(path)) {
    link_clean_up_on_signals(path);
    return path;
  }
  fprintf(err, "error: cannot create the directory %s: %s\n", path, strerror(errno));
  free(path);
  return NULL;
}

int link_run(const char *program, const char *scratch, char *const *arguments, FILE *err) {
  size_t count = 0;
  while (arguments[count])
    count++;
  char **argv = calloc(count + 2, sizeof *argv);
  argv[0] = strdup(program);
  memcpy(argv + 1, arguments, count * sizeof *argv);
  int file = open(program, O_RDONLY | O_CLOEXEC);
  fflush(NULL);
  if (scratch) {
    unlink(program);
    rmdir(scratch);
  }
  if (file >= 0)
    fexecve(file, argv, environ);
  fprintf(err, "error: cannot run the program: %s\n", strerror(errno));
  if (file >= 0)
    close(file);
  free(argv[0]);
  free(argv);
  return -1;
}
