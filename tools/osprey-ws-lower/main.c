/* osprey-ws-lower: lowers the WebSocket builtins of a module of LLVM IR. */
#include <stdio.h>
#include <string.h>

#include "ir_file.h"
#include "osprey_ws_codegen.h"

enum { EXIT_USAGE = 2 };

static const char usage[] = "usage: osprey-ws-lower IN [-o OUT] [-S]\n"
                            "\n"
                            "Lowers the WebSocket builtins of Osprey in a module of LLVM IR, text or bitcode.\n"
                            "\n"
                            "  IN        the module; - reads standard input\n"
                            "  -o OUT    the lowered module; - or no -o writes to standard output\n"
                            "  -S        write text. Without it the output has the format of the input, unless\n"
                            "            OUT ends in .ll (text) or .bc (bitcode)\n"
                            "  --help, --version\n"
                            "\n"
                            "Exit status: 0 success; 1 the module is invalid or misuses a builtin; 2 the command\n"
                            "line is wrong; 3 a file cannot be read or written. Errors go to standard error as\n"
                            "FILE:LINE: error: MESSAGE, and no output is written.\n";

struct options {
  const char *in, *out;
  bool text;
};

static int fail_usage(const char *what, const char *argument) {
  fprintf(stderr, "osprey-ws-lower: error: %s%s%s%s\n%s", what, argument ? " '" : "", argument ? argument : "",
          argument ? "'" : "", usage);
  return EXIT_USAGE;
}

static int parse_arguments(int argc, char **argv, struct options *options) {
  bool only_inputs = false; /* after -- */
  for (int i = 1; i < argc; i++) {
    const char *argument = argv[i];
    bool is_option = !only_inputs && argument[0] == '-' && argument[1];
    if (!is_option && options->in)
      return fail_usage("a second input", argument);
    if (!is_option)
      options->in = argument;
    else if (!strcmp(argument, "--"))
      only_inputs = true;
    else if (!strcmp(argument, "-S"))
      options->text = true;
    else if (!strcmp(argument, "-o") && i + 1 == argc)
      return fail_usage("there is no file name after", argument);
    else if (!strncmp(argument, "-o", 2))
      options->out = argument[2] ? argument + 2 : argv[++i];
    else
      return fail_usage("unknown option", argument);
  }
  return options->in ? 0 : fail_usage("there is no input", NULL);
}

static bool ends_with(const char *name, const char *suffix) {
  size_t length = strlen(name), suffix_length = strlen(suffix);
  return length >= suffix_length && !strcmp(name + length - suffix_length, suffix);
}

static bool wants_text(const struct options *options, const struct ir_file *file) {
  if (options->text || ends_with(options->out, ".ll"))
    return true;
  return !file->is_bitcode && !ends_with(options->out, ".bc");
}

int main(int argc, char **argv) {
  struct options options = {.in = NULL, .out = "-"};
  struct ir_file file;
  if (argc == 2 && !strcmp(argv[1], "--help"))
    return fputs(usage, stdout) < 0;
  if (argc == 2 && !strcmp(argv[1], "--version"))
    return printf("osprey-ws-lower %s, code generation interface %u, LLVM %u\n", OSPREY_WS_VERSION,
                  osp_ws_codegen_version(), osp_ws_codegen_llvm_version()) < 0;
  int status = parse_arguments(argc, argv, &options);
  if (status)
    return status;
  enum ir_outcome outcome = ir_file_read(&file, options.in);
  if (outcome == IR_OK)
    outcome = ir_file_parse(&file, false);
  if (outcome == IR_OK)
    outcome = ir_file_lower(&file);
  if (outcome == IR_OK)
    outcome = ir_file_write(&file, options.out, wants_text(&options, &file));
  ir_file_deinit(&file);
  return (int)outcome;
}
