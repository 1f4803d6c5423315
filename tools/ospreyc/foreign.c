#include "foreign.h"

#include <stddef.h>
#include <string.h>

struct foreign {
  const char *word;
  const char *hint;
};

#define FOREIGN_BIND "bind names with 'let'"
#define FOREIGN_FUNCTION "declare functions with 'fn'"
#define FOREIGN_LOOP                                                                                                   \
  "there are no loops: range(a, b) |> forEach(f), or a function that calls itself; in time, websocketEvery"
#define FOREIGN_NULL "there is no null: use a Result for a value that may be missing"
#define FOREIGN_TYPE "declare types with 'type': type Name = { field: type }"
#define FOREIGN_EXCEPTION "there are no exceptions: a function returns Err(message), and its caller matches the Result"
#define FOREIGN_VALUE                                                                                                  \
  "remove it: the value of a block is its last expression. What follows an early return goes into else { … }"
#define FOREIGN_CLOCK "there is no clock but the timestamp of a message: link C for another"
#define FOREIGN_MODULE "there are no modules: a program is one file, and the builtins need no import"
#define FOREIGN_MATCH "write match value { pattern => … }"
#define FOREIGN_MODIFIER "all functions are in one file: leave it out"
#define FOREIGN_FIXED "bindings are immutable: keep a value with websocketSetValue"
#define FOREIGN_PRINT "did you mean 'print'?"
#define FOREIGN_THEN "define it: fn then(result, next) = match result { Success value => next(value)  Err m => Err(m) }"
#define FOREIGN_GO_ON                                                                                                  \
  "a Result goes on with then(result, next): fn then(r, f) = match r { Success v => f(v)  Err m => Err(m) }"
#define FOREIGN_HANDLERS                                                                                               \
  "handlers are given to websocketServerOnOpen, websocketServerOnMessage and websocketServerOnClose"
#define FOREIGN_UNWRAP "match the Result, or give a fallback with '?:'"
#define FOREIGN_JSON "jsonParse(text) makes a document, jsonGet(document, \"name\") reads it: both give Results"
#define FOREIGN_JSON_TEXT "JSON is a text: \"{\\\"name\\\": ${jsonQuote(name)}}\""
#define FOREIGN_BASE64 "binary messages are base64: a function over byteAt encodes and decodes it, as the README shows"
#define FOREIGN_OBJECT "there are no objects: a function gets what it needs as arguments"

static const struct foreign foreign_words[] = {
    {"return", FOREIGN_VALUE},
    {"for", FOREIGN_LOOP},
    {"while", FOREIGN_LOOP},
    {"foreach", FOREIGN_LOOP},
    {"do", FOREIGN_LOOP},
    {"loop", FOREIGN_LOOP},
    {"var", FOREIGN_BIND},
    {"const", FOREIGN_BIND},
    {"val", FOREIGN_BIND},
    {"function", FOREIGN_FUNCTION},
    {"func", FOREIGN_FUNCTION},
    {"fun", FOREIGN_FUNCTION},
    {"def", FOREIGN_FUNCTION},
    {"async", "handlers run on a thread of the runtime: leave 'async' out"},
    {"try", FOREIGN_EXCEPTION},
    {"throw", FOREIGN_EXCEPTION},
    {"defer", "call it last: main's end closes every connection"},
    {"raise", FOREIGN_EXCEPTION},
    {"catch", FOREIGN_EXCEPTION},
    {"class", FOREIGN_TYPE},
    {"struct", FOREIGN_TYPE},
    {"interface", FOREIGN_TYPE},
    {"trait", FOREIGN_TYPE},
    {"impl", "declare a function: the call value.name() is name(value)"},
    {"enum", "declare unions with 'type': type Name = First | Second { field: type }"},
    {"pub", FOREIGN_MODIFIER},
    {"public", FOREIGN_MODIFIER},
    {"private", FOREIGN_MODIFIER},
    {"protected", FOREIGN_MODIFIER},
    {"internal", FOREIGN_MODIFIER},
    {"static", FOREIGN_MODIFIER},
    {"abstract", FOREIGN_MODIFIER},
    {"override", FOREIGN_MODIFIER},
    {"inline", FOREIGN_MODIFIER},
    {"unsafe", FOREIGN_MODIFIER},
    {"suspend", "handlers run on a thread of the runtime: leave 'suspend' out"},
    {"final", FOREIGN_BIND},
    {"auto", FOREIGN_BIND},
    {"local", FOREIGN_BIND},
    {"global", FOREIGN_FIXED},
    {"record", FOREIGN_TYPE},
    {"object", FOREIGN_TYPE},
    {"extension", "declare a function: the call value.name() is name(value)"},
    {"unless", "write if !condition { … } else { … }"},
    {"instance", "there are no type classes: declare a function"},
    {"mod", FOREIGN_MODULE},
    {"guard", "write match value { Success name => … Err message => … }"},
    {"when", FOREIGN_MATCH},
    {"with", "readFile(path) and writeFile(path, content) open and close a file"},
    {"throws", FOREIGN_EXCEPTION},
    {"instanceof", "match the value: match value { Name { field } => … }"},
    {"using", FOREIGN_MODULE},
    {"from", FOREIGN_MODULE},
    {"elif", "write else if"},
    {"elsif", "write else if"},
    {"elseif", "write else if"},
    {"switch", FOREIGN_MATCH},
    {"and", "write '&&'"},
    {"or", "write '||'; the fallback of a Result follows '?:'"},
    {"not", "write '!'"},
    {"is", "compare with '=='"},
    {"new", "a record is written Name { field: value }"},
    {"lambda", "a lambda is fn(n) => …"},
    {"case", FOREIGN_MATCH},
    {"as", "convert with toString(…), toFloat(…) or parseInt(…)"},
    {"in", "write contains(text, part); a lambda is fn(n) => …"},
    {"of", "write the types of a variant in brackets: Name(type)"},
    {"where", "bind it with 'let' in a line before"},
    {"typeof", "the type of a value is known when the program is compiled"},
    {"go", "handlers run on a thread of the runtime: leave 'go' out, or call it later with websocketAfter"},
    {"use", FOREIGN_MODULE},
    {"package", FOREIGN_MODULE},
    {"include", FOREIGN_MODULE},
    {"break", FOREIGN_LOOP},
    {"continue", FOREIGN_LOOP},
};

#define FOREIGN_STRING_PARTS "s.indexOf(\",\") ?: s.length() says where, and s.take(n) and s.drop(n) are its parts"
#define FOREIGN_THREAD "handlers run on threads of the runtime; websocketAfter and websocketEvery call one later"
#define FOREIGN_LIST                                                                                                   \
  "several values are a record, values by a key are kept with websocketSetValue, and many clients are reached with "   \
  "websocketServerBroadcast or websocketPublish"
#define FOREIGN_HTTP "a server answers other requests with websocketServerPage and websocketServerFile"

static const struct foreign foreign_lacking[] = {
    {"await", "remove it: a call returns when it is done"},
    {"spawn", FOREIGN_THREAD},
    {"yield", FOREIGN_THREAD},
    {"send", "did you mean 'websocketSend'?"},
    {"recv", "a messageHandler gets each message: websocketConnect, websocketServerOnMessage"},
    {"import", FOREIGN_MODULE},
    {"export", FOREIGN_MODULE},
    {"module", FOREIGN_MODULE},
    {"namespace", FOREIGN_MODULE},
    {"state", "bind names with 'let', and keep a value with websocketSetValue"},
    {"split", FOREIGN_STRING_PARTS},
    {"lines", FOREIGN_STRING_PARTS},
    {"words", FOREIGN_STRING_PARTS},
    {"join", "join strings with '+', or write \"${a}${b}\""},
    {"List", FOREIGN_LIST},
    {"Map", FOREIGN_LIST},
    {"mapGet", "did you mean 'websocketValue'?"},
    {"mapSet", "did you mean 'websocketSetValue'?"},
    {"mapRemove", "did you mean 'websocketRemoveValue'?"},
    {"httpCreateServer", FOREIGN_HTTP},
    {"httpListen", FOREIGN_HTTP},
    {"any", "leave the type out: it is inferred"},
    {"test", "a test is a function that the program calls"},
};

#define FOREIGN_TEXTS "what is broadcast or published is a text: base64 is one, too"
#define FOREIGN_CONNECTION                                                                                             \
  "a connection is an Int: websocketConnect gives the ID for websocketSend(wsID: id, message: …)"

static const struct foreign foreign_names[] = {
    {"websocketServerBroadcastBinary", FOREIGN_TEXTS},
    {"websocketPublishBinary", FOREIGN_TEXTS},
    {"require", FOREIGN_MODULE},
    {"this", FOREIGN_OBJECT},
    {"self", FOREIGN_OBJECT},
    {"_", "'_' is not a value: give it a name"},
    {"null", FOREIGN_NULL},
    {"nil", FOREIGN_NULL},
    {"None", FOREIGN_NULL},
    {"undefined", FOREIGN_NULL},
    {"Some", "a success is Success(value)"},
    {"Ok", "a success is Success(value), or Success()"},
    {"Failure", "an error is Err(message)"},
    {"Exception", "an error is Err(message)"},
    {"Unit", "the value of Unit is '{}'"},
    {"True", "write true"},
    {"False", "write false"},
    {"len", "did you mean 'length'?"},
    {"size", "did you mean 'length'?"},
    {"strlen", "did you mean 'length'?"},
    {"str", "did you mean 'toString'?"},
    {"String", "did you mean 'toString'?"},
    {"int", "did you mean 'parseInt'?"},
    {"toInt", "did you mean 'parseInt'?"},
    {"toInteger", "did you mean 'parseInt'?"},
    {"Number", "did you mean 'parseInt' or 'parseFloat'?"},
    {"toUpper", "did you mean 'toUpperCase'?"},
    {"upper", "did you mean 'toUpperCase'?"},
    {"toLower", "did you mean 'toLowerCase'?"},
    {"lower", "did you mean 'toLowerCase'?"},
    {"strip", "did you mean 'trim'?"},
    {"includes", "did you mean 'contains'?"},
    {"find", "did you mean 'indexOf'?"},
    {"charAt", "did you mean 'byteAt', 'codePointAt' or 'substring'?"},
    {"slice", "did you mean 'substring'?"},
    {"substr", "did you mean 'substring'?"},
    {"replaceAll", "did you mean 'replace'?"},
    {"concat", "join strings with '+', or write \"${a}${b}\""},
    {"format", "write \"${a} and ${b}\""},
    {"printf", "write print(\"${a} and ${b}\")"},
    {"each", "did you mean 'forEach'?"},
    {"exit", "declare it: extern fn exit(code: CInt) -> Unit"},
    {"now", FOREIGN_CLOCK},
    {"Date", FOREIGN_CLOCK},
    {"JSON", FOREIGN_JSON},
    {"setTimeout", "did you mean 'websocketAfter'?"},
    {"setInterval", "did you mean 'websocketEvery'?"},
    {"WebSocket", "did you mean 'websocketConnect'?"},
    {"println", FOREIGN_PRINT},
    {"puts", FOREIGN_PRINT},
    {"echo", FOREIGN_PRINT},
    {"alert", FOREIGN_PRINT},
    {"System", FOREIGN_PRINT},
    {"Console", FOREIGN_PRINT},
    {"log", FOREIGN_PRINT},
    {"putStrLn", FOREIGN_PRINT},
    {"readLine", "did you mean 'input'?"},
    {"readline", "did you mean 'input'?"},
    {"prompt", "did you mean 'input'?"},
    {"gets", "did you mean 'input'?"},
    {"reduce", "did you mean 'fold'?"},
    {"Select", "did you mean 'map'?"},
    {"Where", "did you mean 'filter'?"},
    {"it", "a lambda names its parameter: fn(n) => …"},
    {"pass", "write {} for what does nothing"},
    {"equals", "compare with '=='"},
    {"isinstance", "match the value: match value { Name { field } => … }"},
    {"listOf", FOREIGN_LIST},
    {"min", "write a < b ? a : b"},
    {"max", "write a > b ? a : b"},
    {"Result", "a Result is made with Success(value) or Err(message)"},
    {"binary", "the type of a message is a string: \"binary\""},
    {"then", FOREIGN_THEN},
    {"andThen", FOREIGN_GO_ON},
    {"flatMap", FOREIGN_GO_ON},
    {"bind", FOREIGN_GO_ON},
    {"unwrap", FOREIGN_UNWRAP},
    {"unwrapOr", FOREIGN_UNWRAP},
    {"withDefault", FOREIGN_UNWRAP},
    {"isOk", "match the Result: Success value => … Err message => …"},
    {"isErr", "match the Result: Success value => … Err message => …"},
    {"Just", "a success is Success(value)"},
    {"Nothing", "what is missing is Err(message)"},
    {"jsonStringify", FOREIGN_JSON_TEXT},
    {"atob", FOREIGN_BASE64},
    {"btoa", FOREIGN_BASE64},
    {"base64Decode", FOREIGN_BASE64},
    {"base64Encode", FOREIGN_BASE64},
    {"ord", "did you mean 'byteAt' or 'codePointAt'?"},
    {"chr", "did you mean 'fromCodePoint'?"},
    {"fetch", "there is no client of HTTP: websocketConnect talks to a WebSocket server"},
    {"Text", "the type of a message is a string: \"text\""},
    {"Binary", "the type of a message is a string: \"binary\""},
    {"getenv", "declare extern fn osp_rt_environment(name: String) -> Result<String, String>"},
    {"os", "declare extern fn osp_rt_environment(name: String) -> Result<String, String>"},
    {"argv", "declare extern fn osp_rt_argument(n: Int) -> String: the first argument is number 1"},
    {"args", "declare extern fn osp_rt_argument(n: Int) -> String: the first argument is number 1"},
    {"process", "declare extern fn osp_rt_argument(n: Int) -> String: the first argument is number 1"},
    {"sys", "declare extern fn osp_rt_argument(n: Int) -> String: the first argument is number 1"},
    {"osp_rt_argument", "declare it: extern fn osp_rt_argument(n: Int) -> String"},
    {"broadcast", "did you mean 'websocketServerBroadcast'?"},
    {"publish", "did you mean 'websocketPublish'?"},
    {"subscribe", "did you mean 'websocketSubscribe'?"},
    {"websocketServerOnConnect", "did you mean 'websocketServerOnOpen'?"},
    {"websocketServerOnDisconnect", "did you mean 'websocketServerOnClose'?"},
    {"websocketDisconnect", "did you mean 'websocketClose'?"},
    {"websocketServerClose", "did you mean 'websocketStopServer'?"},
    {"websocketServerStop", "did you mean 'websocketStopServer'?"},
    {"console", "write print(…)"},
    {"on", FOREIGN_HANDLERS},
    {"addEventListener", FOREIGN_HANDLERS},
    {"emit", "did you mean 'websocketSend' or 'websocketPublish'?"},
    {"getValue", "did you mean 'websocketValue'?"},
    {"setValue", "did you mean 'websocketSetValue'?"},
    {"jsonDecode", FOREIGN_JSON},
    {"websocketGetValue", "did you mean 'websocketValue'?"},
    {"websocketGet", "did you mean 'websocketValue'?"},
    {"websocketOpen", "did you mean 'websocketConnect'?"},
    {"websocketClientConnect", "did you mean 'websocketConnect'?"},
    {"websocketServer", "did you mean 'websocketCreateServer'?"},
    {"websocketServerStart", "did you mean 'websocketServerListen'?"},
    {"websocketServerOnConnection", "did you mean 'websocketServerOnOpen'?"},
    {"websocketBroadcastAll", "did you mean 'websocketServerBroadcast'?"},
    {"fmt", "write print(\"${a} and ${b}\"), or the string alone"},
    {"time", "did you mean sleep(milliseconds)?"},
    {"json", FOREIGN_JSON},
    {"Math", "did you mean abs, intDiv or random? The smaller of two is a < b ? a : b"},
    {"match", "did you mean 'contains' or 'indexOf'?"},
    {"ws", FOREIGN_CONNECTION},
    {"socket", FOREIGN_CONNECTION},
    {"ws_send", "did you mean 'websocketSend'?"},
};

#define FOREIGN_NO_LISTS "there are no lists: a function that calls itself can go on"
#define FOREIGN_NO_MAPS "there are no maps: values by a key are kept with websocketSetValue"

static const struct foreign foreign_types[] = {
    {"str", "did you mean 'String'?"},
    {"Str", "did you mean 'String'?"},
    {"text", "did you mean 'String'?"},
    {"char", "did you mean 'String'?"},
    {"Integer", "did you mean 'Int'?"},
    {"integer", "did you mean 'Int'?"},
    {"long", "did you mean 'Int'?"},
    {"i32", "did you mean 'Int'?"},
    {"i64", "did you mean 'Int'?"},
    {"u8", "did you mean 'Int'?"},
    {"number", "write Int or Float"},
    {"double", "did you mean 'Float'?"},
    {"f64", "did you mean 'Float'?"},
    {"boolean", "did you mean 'Bool'?"},
    {"Boolean", "did you mean 'Bool'?"},
    {"void", "did you mean 'Unit'?"},
    {"Void", "did you mean 'Success'? A Result without a value is Result<Success, String>"},
    {"None", "did you mean 'Success'? A Result without a value is Result<Success, String>"},
    {"Option", FOREIGN_NULL},
    {"Array", FOREIGN_NO_LISTS},
    {"Vec", FOREIGN_NO_LISTS},
    {"list", FOREIGN_NO_LISTS},
    {"dict", FOREIGN_NO_MAPS},
    {"HashMap", FOREIGN_NO_MAPS},
    {"Optional", FOREIGN_NULL},
    {"Maybe", FOREIGN_NULL},
    {"Promise", "a call returns when it is done: write the type of its value"},
};

static const char *foreign_find(const struct foreign *table, size_t count, const char *word) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(table[i].word, word) == 0)
      return table[i].hint;
  return NULL;
}

const char *foreign_name(const char *name) {
  const char *hint = foreign_find(foreign_names, sizeof foreign_names / sizeof *foreign_names, name);
  return hint ? hint : foreign_word(name);
}

const char *foreign_type(const char *name) {
  return foreign_find(foreign_types, sizeof foreign_types / sizeof *foreign_types, name);
}

const char *foreign_left_out(const char *name) {
  return foreign_find(foreign_lacking, sizeof foreign_lacking / sizeof *foreign_lacking, name);
}

bool foreign_is_loop(const char *word) {
  const char *hint = foreign_word(word);
  return hint && strcmp(hint, FOREIGN_LOOP) == 0;
}

const char *foreign_word(const char *word) {
  return foreign_find(foreign_words, sizeof foreign_words / sizeof *foreign_words, word);
}
