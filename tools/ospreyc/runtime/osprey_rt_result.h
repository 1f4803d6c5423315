#pragma once
/* The blocks of Results in C, laid out as spec/ws_layouts.def lists: of a value of one word, and of a bool. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_IR(ir, c, size) typedef c rt_##ir;
#include "ws_layouts.def"

typedef int64_t rt_T;
struct rt_word_result {
#define WS_RESULT_FIELD(field, index, ir, counted) rt_##ir field;
#include "ws_layouts.def"
};

struct rt_bool_result {
#define rt_T rt_i1
#define WS_RESULT_FIELD(field, index, ir, counted) rt_##ir field;
#include "ws_layouts.def"
#undef rt_T
};

/* The meta words of a Result whose value is not a reference, and of one whose value is. */
enum {
#define WS_META_VALUE(name, value) RT_META_##name = value,
#include "ws_layouts.def"
  RT_RESULT_META =
      RT_META_kind_masked | 1 << (RT_META_mask_shift + offsetof(struct rt_word_result, message) / sizeof(void *)),
  RT_RESULT_META_BOTH =
      RT_RESULT_META | 1 << (RT_META_mask_shift + offsetof(struct rt_word_result, value) / sizeof(void *))
};
