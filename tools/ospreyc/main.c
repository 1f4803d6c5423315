/* The command line of ospreyc. */
#include "arena.h"
#include "back.h"
#include "front.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { EXIT_PROGRAM = 1, EXIT_USAGE = 2, EXIT_BACK = 3 };

static const char main_help[] =
    "usage: ospreyc FILE.osp [options] [--run [ARGS]]\n"
    "\n"
    "Compiles an Osprey program to an executable in the current directory, named after FILE without .osp\n"
    "(a.out if FILE does not end in .osp).\n"
    "\n"
    "  -o OUT          write the executable (with --llvm, the IR) to OUT\n"
    "  --run [ARGS]    run the program with ARGS; without -o, leave no executable behind.\n"
    "                  ospreyc's own options end at the first of ARGS, or at '--'\n"
    "  --check         only report the errors in the program\n"
    "  --llvm          print LLVM IR\n"
    "  --no-lower      with --llvm: leave the WebSocket builtins declared, without bodies\n"
    "  -O0 to -O3      optimisation level (default: -O2; with --llvm, none)\n"
    "  -g              for a debugger, which then shows all values: -O0, unless a level is given\n"
    "  --sandbox       reject WebSocket builtins and extern functions\n"
    "  --no-websocket  reject WebSocket builtins\n"
    "  --version       print the version\n"
    "  --help          print this\n"
    "\n"
    "Exit status: 0 success; 1 the program has errors or cannot be read; 2 the command line is wrong; 3 compiling or\n"
    "linking failed for another reason. With --run, the exit status of the program once it has started.\n";

struct main_options {
  const char *file;
  const char *output;
  bool run, check_only, llvm;
  char *const *arguments; /* for the program; ended by NULL */
  struct check_options check;
  struct back_options back;
};

static _Noreturn void main_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void main_usage(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("ospreyc: error: ", stderr);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputs("\nTry 'ospreyc --help'.\n", stderr);
  exit(EXIT_USAGE);
}

static void main_print_and_exit(const char *text) {
  fputs(text, stdout);
  exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_BACK);
}

/* An option without a value. */
static void main_flag(struct main_options *options, const char *option) {
  if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0)
    main_print_and_exit(main_help);
  else if (strcmp(option, "--version") == 0)
    main_print_and_exit("ospreyc " OSPREY_WS_VERSION "\n");
  else if (strcmp(option, "--run") == 0)
    options->run = true;
  else if (strcmp(option, "--check") == 0)
    options->check_only = true;
  else if (strcmp(option, "--llvm") == 0)
    options->llvm = true;
  else if (strcmp(option, "-g") == 0)
    options->back.debug = true;
  else if (strcmp(option, "--no-lower") == 0)
    options->back.keep_builtins = true;
  else if (strcmp(option, "--sandbox") == 0)
    options->check = (struct check_options){"--sandbox", true};
  else if (strcmp(option, "--no-websocket") == 0) {
    if (!options->check.sandbox)
      options->check.forbidden_by = "--no-websocket";
  } else if (strncmp(option, "-O", 2) == 0) {
    if (strlen(option) != 3 || option[2] < '0' || option[2] > '3')
      main_usage("unknown optimisation level '%s': use -O0, -O1, -O2 or -O3", option);
    options->back.optimise = option[2] - '0';
  } else
    main_usage("unknown option '%s'", option);
}

/* The program's arguments begin after the file, with the first argument that is no option. */
static void main_parse(struct main_options *options, int count, char **arguments) {
  struct stat file, output;
  int i = 1;
  for (; i < count; i++) {
    const char *argument = arguments[i];
    if (strcmp(argument, "--") == 0) {
      i++;
      break;
    }
    if (strcmp(argument, "-o") == 0) {
      if (++i == count)
        main_usage("-o needs a file name");
      options->output = arguments[i];
    } else if (argument[0] == '-' && argument[1] != '\0') {
      main_flag(options, argument);
    } else if (!options->file) {
      options->file = argument;
    } else {
      break;
    }
  }
  if (i < count && !options->file)
    options->file = arguments[i++];
  options->arguments = &arguments[i];
  if (i < count && !options->run)
    main_usage("unexpected argument '%s': only one file is compiled at a time", arguments[i]);
  if (!options->file)
    main_usage("no file to compile");
  if (options->run + options->check_only + options->llvm > 1)
    main_usage("--run, --check and --llvm exclude each other");
  if (options->output && stat(options->file, &file) == 0 && stat(options->output, &output) == 0 &&
      file.st_dev == output.st_dev && file.st_ino == output.st_ino)
    main_usage("-o would overwrite the source file '%s'", options->file);
  if (options->check_only && options->output)
    main_usage("-o and --check exclude each other");
  if (options->back.keep_builtins && !options->llvm)
    main_usage("--no-lower needs --llvm");
}

static int main_print_ir(const struct ast_program *program, const struct main_options *options) {
  FILE *out = options->output ? fopen(options->output, "w") : stdout;
  if (!out) {
    fprintf(stderr, "ospreyc: error: cannot write '%s': %s\n", options->output, strerror(errno));
    return EXIT_BACK;
  }
  int outcome = back_print(program, &options->back, out, stderr);
  bool written = fflush(out) == 0 && !ferror(out);
  if (out != stdout)
    written = fclose(out) == 0 && written;
  if (!written)
    fprintf(stderr, "ospreyc: error: cannot write the IR: %s\n", strerror(errno));
  return outcome == 0 && written ? EXIT_SUCCESS : EXIT_BACK;
}

int main(int count, char **arguments) {
  struct main_options options = {.back.optimise = -1};
  struct arena arena;
  main_parse(&options, count, arguments);
  arena_init(&arena);
  const struct ast_program *program = front_file(options.file, &options.check, &arena, stderr);
  int status = program ? EXIT_SUCCESS : EXIT_PROGRAM;
  if (program && options.llvm) {
    status = main_print_ir(program, &options);
  } else if (program && options.run) {
    back_run(program, &options.back, options.output, options.arguments, stderr);
    status = EXIT_BACK;
  } else if (program && !options.check_only) {
    /* The executable of chat.osp is chat, in the current directory; of a file with another suffix, a.out. */
    const char *slash = strrchr(options.file, '/'), *name = slash ? slash + 1 : options.file;
    size_t length = strlen(name);
    bool has_suffix = length > 4 && strcmp(name + length - 4, ".osp") == 0;
    const char *output = has_suffix ? arena_copy(&arena, name, length - 4) : "a.out";
    if (back_compile(program, &options.back, options.output ? options.output : output, stderr) < 0)
      status = EXIT_BACK;
  }
  arena_deinit(&arena);
  return status;
}
